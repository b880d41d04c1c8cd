from __future__ import annotations

import numpy as np
import pytest

from recsys.config.experiment import FusionConfig
from recsys.recommenders.joint.fusion import (
    fuse,
    fused_dim,
    fusion_shapes,
    masked_softmax,
    masked_sparsemax,
)

KINDS = ("sum", "concat", "gated", "sparse")
PRESENT = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=np.float32)
MOVIES, MODALITIES, DIM = 4, 3, 2
LONE, NOTHING = 2, 3


def draw(kind, seed=0, size=1.0):
    random = np.random.default_rng(seed)
    codes = np.tanh(random.normal(size=(MOVIES, MODALITIES, DIM))).astype(np.float32)
    absent = random.normal(size=(MODALITIES, DIM)).astype(np.float32)
    shapes = fusion_shapes(kind, MODALITIES, DIM)
    weights = {
        k: (size * random.normal(size=s)).astype(np.float32) for k, s in sorted(shapes.items())
    }
    return codes, absent, weights


def softmax_by_hand(logits):
    return np.exp(logits) / np.exp(logits).sum()


def lack_by_hand(there, absent):
    return sum((absent[m] for m in range(MODALITIES) if m not in there), np.zeros(DIM)) / MODALITIES


def gated_by_hand(codes, there, absent, weights):
    filled = [codes[m] if m in there else absent[m] for m in range(MODALITIES)]
    logits = weights["gate/weight"] @ np.concatenate(filled) + weights["gate/bias"]
    shares = softmax_by_hand(logits[there])
    return sum(s * codes[m] for s, m in zip(shares, there, strict=True)), shares


def test_every_kind_of_the_configuration_can_be_fused():
    for kind in FusionConfig.model_fields["kind"].annotation.__args__:
        codes, absent, weights = draw(kind)
        fused = fuse(kind, codes, PRESENT, absent, weights)
        assert fused.vectors.shape == (MOVIES, fused_dim(kind, MODALITIES, DIM))
        assert fused.vectors.dtype == fused.weights.dtype == np.float32


def test_a_sum_is_the_mean_of_what_is_there_and_what_each_lack_says():
    codes, absent, _ = draw("sum")
    vectors = fuse("sum", codes, PRESENT, absent, {}).vectors
    assert vectors[0] == pytest.approx(codes[0].mean(axis=0))
    assert vectors[1] == pytest.approx((codes[1, 0] + codes[1, 2]) / 2 + absent[1] / 3)
    assert vectors[NOTHING] == pytest.approx(absent.sum(axis=0) / 3)


def test_a_concatenation_holds_the_code_or_what_its_lack_says():
    codes, absent, _ = draw("concat")
    fused = fuse("concat", codes, PRESENT, absent, {})
    assert fused.vectors[1] == pytest.approx([*codes[1, 0], *absent[1], *codes[1, 2]])
    assert fused.weights[1] == pytest.approx([0.5, 0, 0.5])


def test_gates_are_the_softmax_of_a_linear_map_of_everything():
    codes, absent, weights = draw("gated", seed=1)
    fused = fuse("gated", codes, PRESENT, absent, weights)
    for movie in range(NOTHING):
        there = PRESENT[movie].nonzero()[0]
        mean, shares = gated_by_hand(codes[movie], there, absent, weights)
        assert fused.weights[movie, there] == pytest.approx(shares, abs=1e-6)
        lack = lack_by_hand(there, absent)
        assert fused.vectors[movie] == pytest.approx(mean + lack, abs=1e-6)


@pytest.mark.parametrize("kind", ["gated", "sparse"])
def test_zero_weights_start_from_the_sum(kind):
    codes, absent, weights = draw(kind, size=0)
    expected = fuse("sum", codes, PRESENT, absent, {})
    fused = fuse(kind, codes, PRESENT, absent, weights)
    assert fused.vectors == pytest.approx(expected.vectors, abs=1e-6)
    assert fused.weights == pytest.approx(expected.weights, abs=1e-6)


def test_a_lack_moves_the_gates_of_the_others():
    codes, absent, weights = draw("gated", seed=3)
    before = fuse("gated", codes, PRESENT, absent, weights).weights
    after = fuse("gated", codes, PRESENT, absent + 1, weights).weights
    assert abs(after - before)[1, 0] > 1e-3
    assert after[0].tolist() == before[0].tolist()


def test_sparse_gates_close_and_soft_ones_do_not():
    codes, absent, weights = draw("gated", seed=4, size=0)
    weights["gate/bias"] = np.array([3, 0, -3], dtype=np.float32)
    soft = fuse("gated", codes, PRESENT, absent, weights).weights
    sparse = fuse("sparse", codes, PRESENT, absent, weights).weights
    assert (soft[0] > 0).all()
    assert sparse[0].tolist() == [pytest.approx(1), 0, 0]


def test_sparsemax_of_two_logits_is_known_in_closed_form():
    """p = (1 ± d) / 2 for a difference of d in logits, and (1, 0) from a difference of 1 on."""
    for difference, expected in ((0.3, [0.65, 0.35]), (1.0, [1, 0]), (7.0, [1, 0])):
        shares = masked_sparsemax(np.array([[difference, 0]]), np.ones((1, 2)))
        assert shares[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("normalise", [masked_softmax, masked_sparsemax])
def test_logits_far_apart_neither_overflow_nor_warn(normalise):
    logits = np.array([[3e38, -3e38, 0], [-1e30, -1e30, 1e30]], dtype=np.float32) / 4
    present = np.array([[1, 1, 1], [1, 1, 0]], dtype=np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        shares = normalise(logits, present)
    assert shares == pytest.approx(np.array([[1, 0, 0], [0.5, 0.5, 0]]), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_modalities_says_nothing(kind):
    codes, present = np.zeros((5, 0, DIM), np.float32), np.zeros((5, 0), np.float32)
    fused = fuse(kind, codes, present, np.zeros((0, DIM), np.float32), {})
    assert fusion_shapes(kind, 0, DIM) == {}
    assert fused.vectors.tolist() == np.zeros((5, fused_dim(kind, 0, DIM))).tolist()
    assert fused.weights.shape == (5, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_movies_are_fused_into_no_movies(kind):
    codes, absent, weights = draw(kind)
    fused = fuse(kind, codes[:0], PRESENT[:0], absent, weights)
    assert fused.vectors.shape == (0, fused_dim(kind, MODALITIES, DIM))


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_and_vectors_are_told_apart_by_name(kind):
    ends = {1: "bias", 2: "weight"}
    for name, shape in fusion_shapes(kind, MODALITIES, DIM).items():
        assert name.endswith(f"/{ends[len(shape)]}")


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    torch = pytest.importorskip("torch", reason="gradients need torch")
    codes, absent, weights = draw(kind, seed=6)
    names = sorted(weights)
    present = torch.tensor(PRESENT, dtype=torch.float64)

    def run(codes, absent, *values):
        return tuple(fuse(kind, codes, present, absent, dict(zip(names, values, strict=True))))

    inputs = [codes, absent, *(weights[name] for name in names)]
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    assert torch.autograd.gradcheck(run, leaves)
