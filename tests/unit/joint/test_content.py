"""The content half as functions of arrays: what each part of a task's representation is."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.recommenders.joint.content import TASKS, code, encode, modality_names, read, standardise
from recsys.recommenders.joint.fusion import fused_dim, fusion_shapes

N, M, F, C, P = 7, 3, 5, 4, 2
NAMES = ("audio", "poster", "text")
FUSIONS = ("sum", "concat", "gated", "sparse")


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def weights_of(kind="sum", tasks=TASKS):
    h = fused_dim(kind, M, F)
    found = {"shared/weight": normal(C, h), "shared/bias": normal(C)}
    for n, task in enumerate(tasks):
        found |= {f"private/{task}/weight": normal(P, h) + n, f"private/{task}/bias": normal(P)}
    for n, name in enumerate(NAMES):
        found[f"modality/{name}/absent"] = normal(F) + n
        found[f"modality/{name}/centre"] = normal(n + 2)
    for name, shape in fusion_shapes(kind, M, F).items():
        found[f"fusion/{name}"] = normal(*shape)
    return found


@pytest.fixture
def present():
    return (np.random.default_rng(1).random((N, M)) < 0.6).astype(np.float32)


def test_modalities_are_named_in_one_order():
    weights = weights_of()
    assert modality_names(weights) == NAMES
    assert modality_names(dict(reversed(weights.items()))) == NAMES
    assert modality_names({"shared/weight": normal(2, 2)}) == ()


def test_standardising_is_shift_then_scale():
    x = normal(N, 3)
    weights = {"modality/text/centre": normal(3), "modality/text/scale": np.float32(2.5)}
    found = standardise(x, weights, "text")
    np.testing.assert_allclose(found, (x - normal(3)) / 2.5, rtol=1e-6)


def test_a_code_is_bounded():
    weights = {"modality/text/weight": 100 * normal(F, 3), "modality/text/bias": normal(F)}
    found = code(normal(N, 3), weights, "text")
    assert found.shape == (N, F)
    assert (np.abs(found) <= 1).all()


@pytest.mark.parametrize("kind", FUSIONS)
def test_tasks_read_what_is_shared_and_then_what_is_theirs(kind, present):
    encoded = encode(kind, normal(N, M, F), present, weights_of(kind))
    assert encoded.shared.shape == (N, C)
    assert encoded.private.keys() == set(TASKS)
    for task in TASKS:
        expected = np.hstack([encoded.shared, encoded.private[task]])
        np.testing.assert_array_equal(encoded.of(task), expected)
    for task in TASKS[1:]:
        assert not np.allclose(encoded.private[task], encoded.private[TASKS[0]])


@pytest.mark.parametrize("kind", FUSIONS)
def test_without_private_encoders_tasks_read_what_is_shared(kind, present):
    fully = encode(kind, normal(N, M, F), present, weights_of(kind, tasks=()))
    beside = encode(kind, normal(N, M, F), present, weights_of(kind))
    assert fully.private == {}
    for task in TASKS:
        np.testing.assert_array_equal(fully.of(task), beside.shared)


def test_a_task_may_be_the_only_one_with_a_private_encoder(present):
    encoded = encode("sum", normal(N, M, F), present, weights_of(tasks=("genre",)))
    assert encoded.of("genre").shape == (N, C + P)
    assert encoded.of("rating").shape == (N, C)


@pytest.mark.parametrize("kind", FUSIONS)
def test_what_absence_says_belongs_to_its_modality(kind):
    weights, nothing = weights_of(kind), np.zeros((1, M), np.float32)
    lacking_text = np.array([[1, 1, 0]], np.float32)
    codes = normal(1, M, F)
    before = [encode(kind, codes, p, weights).shared for p in (nothing, lacking_text)]
    weights["modality/audio/absent"] = weights["modality/audio/absent"] + 1
    after = [encode(kind, codes, p, weights).shared for p in (nothing, lacking_text)]
    assert not np.allclose(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_a_role_has_a_bias_of_its_own_only_where_it_has_one(present):
    encoded = encode("sum", normal(N, M, F), present, weights_of())
    weights = {"role/a/weight": normal(3, C + P), "role/a/bias": normal(3)}
    own = encoded.of("genre") @ normal(3, C + P).T
    np.testing.assert_allclose(read(encoded, weights, "a", "genre"), own + normal(3), rtol=1e-5)
    del weights["role/a/bias"]
    np.testing.assert_allclose(read(encoded, weights, "a", "genre"), own, rtol=1e-5)


@pytest.mark.parametrize("kind", FUSIONS)
def test_arrays_and_tensors_are_encoded_alike(kind, present):
    torch = pytest.importorskip("torch", reason="the tensors are torch's")
    weights, codes = weights_of(kind), normal(N, M, F)
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    one = encode(kind, codes, present, weights)
    two = encode(kind, torch.from_numpy(codes), torch.from_numpy(present), tensors)
    np.testing.assert_allclose(one.shared, two.shared, atol=1e-5)
    np.testing.assert_allclose(one.modality_weights, two.modality_weights, atol=1e-6)
    for task in TASKS:
        np.testing.assert_allclose(one.of(task), two.of(task), atol=1e-5)
