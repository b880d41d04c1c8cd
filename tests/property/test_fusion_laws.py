"""Laws of fusion: shares are shares, absence is exact, order is nothing, two libraries agree."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import brentq

from recsys.recommenders.joint.fusion import fuse, fusion_shapes, masked_sparsemax

KINDS = ("sum", "concat", "gated", "sparse")
kinds = st.sampled_from(KINDS)
masks = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.sampled_from([0.0, 1.0]),
)
logit_rows = hnp.arrays(
    np.float64, st.integers(1, 6), elements=st.floats(-20, 20, allow_subnormal=False)
)
DIM = 3


def draw(kind, present, seed):
    random = np.random.default_rng(seed)
    codes = np.tanh(random.normal(size=(*present.shape, DIM))).astype(np.float32)
    absent = random.normal(size=(present.shape[1], DIM)).astype(np.float32)
    shapes = sorted(fusion_shapes(kind, present.shape[1], DIM).items())
    return codes, absent, {k: random.normal(size=s).astype(np.float32) for k, s in shapes}


def in_torch(torch, kind, inputs, present):
    codes, absent, weights = inputs
    leaves = {"codes": codes, "absent": absent, **weights}
    leaves = {name: torch.tensor(x, requires_grad=True) for name, x in leaves.items()}
    learnt = {name: leaves[name] for name in weights}
    mask = torch.tensor(present)
    return fuse(kind, leaves["codes"], mask, leaves["absent"], learnt), leaves


def reordered(weights, order):
    """The gate reads and opens modalities in another order."""
    if "gate/weight" not in weights:
        return weights
    matrix = weights["gate/weight"].reshape(len(order), len(order), DIM)
    return {
        "gate/weight": matrix[order][:, order].reshape(len(order), -1),
        "gate/bias": weights["gate/bias"][order],
    }


def sparsemax_by_bisection(logits):
    def excess(threshold):
        return np.maximum(logits - threshold, 0).sum() - 1

    threshold = brentq(excess, logits.max() - 1.5, logits.max(), xtol=1e-14)
    return np.maximum(logits - threshold, 0)


@given(kinds, masks, st.integers(0, 99))
def test_shares_sum_to_one_over_what_is_present(kind, present, seed):
    codes, absent, weights = draw(kind, present, seed)
    shares = fuse(kind, codes, present, absent, weights).weights
    assert (shares >= 0).all()
    assert (shares[present == 0] == 0).all()
    assert shares.sum(axis=1) == pytest.approx(present.max(axis=1), abs=1e-6)
    assert (shares[(present == 1) & (present.sum(axis=1, keepdims=True) == 1)] == 1).all()


@given(kinds, masks, st.integers(0, 99), st.sampled_from([1e30, -7.0, np.inf, np.nan]))
def test_what_stands_in_an_absent_slot_is_never_looked_at(kind, present, seed, garbage):
    codes, absent, weights = draw(kind, present, seed)
    filled = np.where(present[:, :, None] == 1, codes, np.float32(garbage))
    clean = fuse(kind, codes, present, absent, weights)
    dirty = fuse(kind, filled, present, absent, weights)
    np.testing.assert_array_equal(dirty.vectors, clean.vectors)
    np.testing.assert_array_equal(dirty.weights, clean.weights)


@given(kinds, masks, st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_order_of_modalities_is_nothing(kind, present, seed, random):
    codes, absent, weights = draw(kind, present, seed)
    order = list(range(present.shape[1]))
    random.shuffle(order)
    plain = fuse(kind, codes, present, absent, weights)
    moved = fuse(kind, codes[:, order], present[:, order], absent[order], reordered(weights, order))
    vectors = plain.vectors
    if kind == "concat":
        vectors = vectors.reshape(codes.shape)[:, order].reshape(vectors.shape)
    np.testing.assert_allclose(moved.vectors, vectors, atol=2e-6)
    np.testing.assert_allclose(moved.weights, plain.weights[:, order], atol=2e-6)


@given(kinds, masks, st.integers(0, 99))
def test_a_movie_is_fused_alone_as_among_others(kind, present, seed):
    codes, absent, weights = draw(kind, present, seed)
    among = fuse(kind, codes, present, absent, weights)
    alone = fuse(kind, codes[:1], present[:1], absent, weights)
    np.testing.assert_allclose(alone.vectors, among.vectors[:1], atol=1e-6)
    np.testing.assert_allclose(alone.weights, among.weights[:1], atol=1e-6)


@given(kinds, masks, st.integers(0, 99))
def test_torch_and_numpy_agree(kind, present, seed):
    torch = pytest.importorskip("torch", reason="compares the two libraries")
    inputs = draw(kind, present, seed)
    served = fuse(kind, inputs[0], present, *inputs[1:])
    trained, _ = in_torch(torch, kind, inputs, present)
    assert trained.vectors.dtype == trained.weights.dtype == torch.float32
    np.testing.assert_allclose(served.vectors, trained.vectors.detach(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(served.weights, trained.weights.detach(), rtol=1e-6, atol=1e-6)


@given(kinds, masks, st.integers(0, 99), st.booleans())
def test_gradients_are_finite_and_reach_nothing_absent(kind, present, seed, equal):
    torch = pytest.importorskip("torch", reason="gradients need torch")
    codes, absent, weights = draw(kind, present, seed)
    weights = {name: array * (not equal) for name, array in weights.items()}
    codes[present == 0] = np.nan
    fused, leaves = in_torch(torch, kind, (codes, absent, weights), present)
    ((fused.vectors**2).sum() + (fused.weights**2).sum()).backward()
    for name, leaf in leaves.items():
        assert leaf.grad is None or leaf.grad.isfinite().all(), name
    reached = leaves["codes"].grad
    assert reached is None or (reached.numpy()[present == 0] == 0).all()


@given(logit_rows)
def test_sparsemax_solves_its_equation(logits):
    shares = masked_sparsemax(logits[None], np.ones((1, len(logits))))
    np.testing.assert_allclose(shares[0], sparsemax_by_bisection(logits), atol=1e-9)


@given(logit_rows, st.data())
def test_sparsemax_among_some_is_sparsemax_of_those(logits, data):
    bits = st.lists(st.booleans(), min_size=len(logits), max_size=len(logits)).filter(any)
    present = np.array(data.draw(bits))
    shares = masked_sparsemax(logits[None], present[None].astype(float))[0]
    np.testing.assert_allclose(shares[present], sparsemax_by_bisection(logits[present]), atol=1e-9)
    assert (shares[~present] == 0).all()


@given(logit_rows)
def test_sparsemax_closes_what_is_one_below_the_largest(logits):
    shares = masked_sparsemax(logits[None], np.ones((1, len(logits))))[0]
    assert (shares[logits <= logits.max() - 1.001] == 0).all()


@given(logit_rows)
@example(np.array([0.0, 1.0]))  # at the edge of the support
@example(np.array([0.0, 1 - 5e-7]))  # on its inner side
@example(np.array([0.0, 1 + 5e-7]))  # on its outer side
def test_the_gradient_of_sparsemax_is_its_jacobian(logits):
    """``∂p/∂z = diag(s) − s sᵀ / Σ s``, s being 1 on the support (Martins & Astudillo, 2016)."""
    torch = pytest.importorskip("torch", reason="gradients need torch")
    shares = masked_sparsemax(logits, np.ones(len(logits)))
    threshold = (logits - shares)[shares > 0].mean()
    # At the edge of the support, from either side, there is no derivative.
    assume((np.abs(logits - threshold) > 1e-6).all())
    found = torch.autograd.functional.jacobian(
        lambda z: masked_sparsemax(z, torch.ones(len(z))), torch.tensor(logits)
    )
    support = (shares > 0).astype(float)
    expected = np.diag(support) - np.outer(support, support) / support.sum()
    np.testing.assert_allclose(found, expected, atol=1e-6)
