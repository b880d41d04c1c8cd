"""What holds for every model, history and content, whatever the numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from laws import examples

from recsys.config.experiment import ModelConfig, UserConfig
from recsys.data.files import fingerprint
from recsys.data.interactions import RatingScale
from recsys.queries.query import Query, rated_mask
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.content import TASKS, embedding_heads
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, MovieVectors, RatingConstants
from recsys.recommenders.joint.formulas import (
    RatingShrinkage,
    item_weights,
    liked_mean,
    liked_weights,
    rated_history,
)
from recsys.recommenders.joint.fusion import fused_dim, fusion_shapes

FUSIONS = ("sum", "concat", "gated", "sparse")
RULES = st.builds(
    UserConfig,
    liked_min_rating=st.sampled_from([3.0, 3.5, 4.0, 5.0]),
    rating_slope=st.floats(0, 1),
    rating_center=st.floats(2.5, 3.5),
    popularity_exponent=st.floats(0, 1),
)
SHRINKAGES = st.builds(RatingShrinkage, bias=st.floats(0.1, 20), vector=st.floats(0.1, 20))
FAST = examples(60)


@dataclass(frozen=True)
class Asked:
    model: EmbeddingModel
    query: Query


@st.composite
def histories(draw, n_items=None) -> sp.csr_array:
    """Half stars from 0 to 5, zeros that were given among them, columns in any order."""
    n_users = draw(st.integers(1, 5))
    n_items = n_items or draw(st.integers(1, 9))
    rows = [
        draw(
            st.lists(
                st.tuples(st.integers(0, n_items - 1), st.integers(0, 10)),
                unique_by=lambda rating: rating[0],
            )
        )
        for _ in range(n_users)
    ]
    indptr = np.cumsum([0, *map(len, rows)])
    flat = [rating for row in rows for rating in row]
    indices = np.array([item for item, _ in flat], dtype=np.int32)
    stars = np.array([half / 2 for _, half in flat], dtype=np.float32)
    return sp.csr_array((stars, indices, indptr), shape=(n_users, n_items))


@st.composite
def asked(draw) -> Asked:
    n, g = draw(st.integers(1, 9)), draw(st.integers(0, 3))
    d, r = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([0.01, 1.0, 10.0]))

    def normal(*shape):
        return (size * random.normal(size=shape)).astype(np.float32)

    rule = draw(RULES)
    movies = MovieVectors(
        liked=normal(n, d),
        ranked=normal(n, d + 1),
        weight=item_weights(random.integers(0, 500, n), rule.popularity_exponent),
        rating_in=normal(n, r),
        rating_out=normal(n, r),
        rating_mean=random.uniform(0, 5, n).astype(np.float32),
        log_variance=random.uniform(-3, 1, n).astype(np.float32),
        genre_logits=normal(n, g),
        audience_mean=random.uniform(-1, 6, n).astype(np.float32),
        audience_log_variance=random.uniform(-3, 1, n).astype(np.float32),
        modality_weights=normal(n, 2),
    )
    levels = draw(st.sampled_from([None, RatingLevels.midway(tuple(np.arange(11) / 2))]))
    noise = draw(st.floats(-1, 2))
    constants = RatingConstants(draw(SHRINKAGES), noise, RatingScale(0, 5), levels)
    return Asked(EmbeddingModel(movies, rule, constants), Query.of(draw(histories(n))))


def everything(query, model):
    return (part.ravel() for part in np.indices((len(query), len(model.movies))))


@FAST
@given(asked=asked())
def test_contributions_and_bias_add_up_to_the_score(asked):
    model, query = asked.model, asked.query
    scores = model.score(query)
    for u in range(len(query)):
        told = model.view(query.slice(u, u + 1)).contributions(np.arange(len(model.movies)))
        size = 1 + np.abs(told.values).sum(axis=1) + np.abs(told.bias)
        error = np.abs(told.values.sum(axis=1) + told.bias - scores[u])
        assert (error <= 1e-5 * size).all()
        assert len(told.rows) == len(set(told.rows.tolist())) == told.values.shape[1]


@FAST
@given(asked=asked())
def test_a_contribution_does_not_depend_on_the_order_of_the_likes(asked):
    model, query = asked.model, asked.query
    ordered = query.histories.copy()
    ordered.sort_indices()
    for u in range(len(query)):
        one, two = (
            model.view(Query.of(h[[u]])).contributions(np.array([0]))
            for h in (query.histories, ordered)
        )
        found = dict(zip(one.rows.tolist(), one.values[0], strict=True))
        assert found.keys() == set(two.rows.tolist())
        for item, share in zip(two.rows.tolist(), two.values[0], strict=True):
            assert share == pytest.approx(found[item], rel=1e-4, abs=1e-6)


@FAST
@given(asked=asked())
def test_predictions_are_on_the_scale_and_honest_about_being_unsure(asked):
    found = asked.model.predict_ratings(asked.query, *everything(asked.query, asked.model))
    assert ((found.mean >= 0) & (found.mean <= 5)).all()
    assert (found.std > 0).all()
    assert np.isfinite(found.std).all()


@FAST
@given(asked=asked())
def test_audience_scores_are_on_the_scale_and_honest_about_being_unsure(asked):
    found = asked.model.audience()
    assert ((found.mean >= 0) & (found.mean <= 5)).all()
    assert (found.std > 0).all()


@FAST
@given(asked=asked())
def test_probabilities_are_probabilities_and_keep_the_order_of_the_logits(asked):
    found, logits = asked.model.genre_probabilities(), asked.model.movies.genre_logits
    assert ((found >= 0) & (found <= 1)).all()
    order = np.argsort(logits, axis=None)
    assert (np.diff(found.ravel()[order]) >= 0).all()


@FAST
@given(asked=asked())
def test_asking_never_alters_a_history(asked):
    query = asked.query
    arrays = (query.histories.data, query.histories.indices, query.histories.indptr)
    before = fingerprint(arrays)
    asked.model.score(query)
    asked.model.predict_ratings(query, *everything(query, asked.model))
    asked.model.view(query.slice(0, 1)).contributions(np.array([0]))
    weights, mask = asked.model.weights(query), rated_mask(query.histories)
    weights.sort_indices()
    mask.sort_indices()
    assert fingerprint(arrays) == before


@FAST
@given(asked=asked())
def test_one_by_one_is_as_good_as_together(asked):
    model, query = asked.model, asked.query
    together = model.score(query)
    size = 1 + np.abs(together).max(initial=0)
    for u in range(len(query)):
        alone = model.score(query.slice(u, u + 1))[0]
        np.testing.assert_allclose(alone, together[u], atol=1e-5 * size)


@FAST
@given(histories=histories(), rule=RULES)
def test_the_mean_lies_between_the_movies_that_are_liked(histories, rule):
    vectors = np.linspace(-1, 1, histories.shape[1], dtype=np.float32)[:, None]
    weights = liked_weights(histories, rule, np.ones(histories.shape[1], dtype=np.float32))
    means = liked_mean(weights, vectors)[:, 0]
    for row, mean in enumerate(means):
        liked = weights[[row]].indices
        low, high = (vectors[liked].min(), vectors[liked].max()) if len(liked) else (0, 0)
        assert low - 1e-5 <= mean <= high + 1e-5


@FAST
@given(histories=histories(), shrinkage=SHRINKAGES)
def test_sparse_and_dense_histories_say_the_same(histories, shrinkage):
    n = histories.shape[1]
    mean, vectors = np.linspace(1, 4, n, dtype=np.float32), np.eye(n, dtype=np.float32)
    mask = rated_mask(histories)
    sparse = rated_history(histories, mask, mean, vectors, shrinkage)
    dense = rated_history(histories.toarray(), mask.toarray(), mean, vectors, shrinkage)
    for one, two in zip(sparse, dense, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5, rtol=1e-4)
    assert (sparse.noise > 0).all()


@FAST
@given(histories=histories(), shrinkage=SHRINKAGES, shift=st.floats(-2, 2))
def test_a_more_generous_user_has_a_higher_bias_and_the_same_residuals_left(
    histories, shrinkage, shift
):
    """Moving all stars of a user by c moves their bias by c·n/(n+λ), as shrinkage says."""
    n = histories.shape[1]
    mean, vectors = np.full(n, 3, dtype=np.float32), np.ones((n, 1), dtype=np.float32)
    mask = rated_mask(histories)
    moved = histories.copy()
    moved.data = moved.data + np.float32(shift)
    before, after = (
        rated_history(h, mask, mean, vectors, shrinkage).bias for h in (histories, moved)
    )
    count = np.diff(histories.indptr)
    np.testing.assert_allclose(after - before, shift * count / (count + shrinkage.bias), atol=1e-4)


@st.composite
def towers(draw):
    """A content tower with its features, absent rows among them."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    dims = draw(st.dictionaries(st.sampled_from(["audio", "text", "poster"]), st.integers(1, 5)))
    f, c, p, g = (draw(st.integers(1, 4)) for _ in range(4))
    p, n, fusion = p * draw(st.booleans()), draw(st.integers(1, 6)), draw(st.sampled_from(FUSIONS))

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    h = fused_dim(fusion, len(dims), f)
    weights = {"shared/weight": normal(c, h), "shared/bias": normal(c)}
    for task in TASKS if p else ():
        weights |= {f"private/{task}/weight": normal(p, h), f"private/{task}/bias": normal(p)}
    for role in embedding_heads(ModelConfig(ranking_dim=3, rating_dim=2), g):
        weights[f"role/{role.name}/weight"] = normal(role.dim, c + p)
        if not role.offset:
            weights[f"role/{role.name}/bias"] = normal(role.dim)
    for name, shape in fusion_shapes(fusion, len(dims), f).items():
        weights[f"fusion/{name}"] = normal(*shape)
    features = {}
    for name, dim in dims.items():
        prefix = f"modality/{name}"
        weights |= {f"{prefix}/centre": normal(dim), f"{prefix}/scale": 1 + normal(1)[0] ** 2}
        weights |= {f"{prefix}/weight": normal(f, dim), f"{prefix}/bias": normal(f)}
        weights[f"{prefix}/absent"] = normal(f)
        features[name] = normal(n, dim)
        features[name][random.random(n) < 0.4] = np.nan
    return ContentTower(weights, fusion, 0.5, 3.0, 1.0), features, n


@FAST
@given(given_=towers(), data=st.data())
def test_movies_are_embedded_each_by_its_own_content(given_, data):
    tower, features, n = given_
    order = np.array(data.draw(st.permutations(range(n))))
    together = tower.embed(features, n).arrays()
    moved = tower.embed({name: array[order] for name, array in features.items()}, n).arrays()
    for name, array in together.items():
        assert np.isfinite(array).all()
        np.testing.assert_allclose(moved[name], array[order], atol=1e-5)


@FAST
@given(given_=towers())
def test_a_modality_nobody_has_is_a_modality_nobody_gave(given_):
    tower, features, n = given_
    for name in features:
        absent = {**features, name: np.full_like(features[name], np.nan)}
        without = {other: array for other, array in features.items() if other != name}
        one, two = (tower.embed(f, n).arrays() for f in (absent, without))
        for key, array in one.items():
            np.testing.assert_array_equal(array, two[key])


@FAST
@given(given_=towers())
def test_gates_are_shares_of_the_modalities_a_movie_has(given_):
    tower, features, n = given_
    found = tower.embed(features, n).modality_weights
    present = np.zeros((n, len(tower.modalities)), dtype=bool)
    for column, name in enumerate(tower.modalities):
        present[:, column] = np.isfinite(features[name]).all(axis=1)
    assert (found >= 0).all()
    assert not found[~present].any()
    np.testing.assert_allclose(found.sum(axis=1), present.any(axis=1), atol=1e-5)


@FAST
@given(given_=towers(), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_content_is_measured_in_units_of_its_own(given_, scale, shift):
    """Features and how they are standardised, in other units together, are the same content."""
    tower, features, n = given_
    weights = dict(tower.weights)
    for name in features:
        centre, spread = weights[f"modality/{name}/centre"], weights[f"modality/{name}/scale"]
        weights[f"modality/{name}/centre"] = np.float32(scale) * centre + np.float32(shift)
        weights[f"modality/{name}/scale"] = np.float32(scale) * spread
    moved = {name: np.float32(scale) * x + np.float32(shift) for name, x in features.items()}
    one, two = tower.embed(features, n), replace(tower, weights=weights).embed(moved, n)
    for key, array in one.arrays().items():
        np.testing.assert_allclose(two.arrays()[key], array, atol=2e-3)


@FAST
@given(seed=st.integers(0, 2**32), temperature=st.floats(0.2, 5))
def test_divergence_from_a_teacher_is_never_negative_and_zero_for_its_own_ranking(
    seed, temperature
):
    torch = pytest.importorskip("torch", reason="the losses are torch")
    from recsys.recommenders.joint.losses import distillation_loss

    random = torch.Generator().manual_seed(seed)
    teacher, student = torch.randn(2, 4, 8, generator=random)
    candidates = torch.rand(4, 8, generator=random) < 0.8
    candidates[:, :2] = True
    assert distillation_loss(student, teacher, candidates, temperature) >= -1e-5
    scale = 0.1 + 10 * torch.rand(4, 1, generator=random)
    equal = teacher / teacher.std(dim=1, keepdim=True) + torch.randn(4, 1, generator=random)
    loss = distillation_loss(equal, scale * teacher, candidates, temperature)
    assert loss.item() == pytest.approx(0, abs=1e-4)


@FAST
@given(seed=st.integers(0, 2**32), shift=st.floats(-50, 50))
def test_ranking_cares_for_differences_of_scores_alone(seed, shift):
    torch = pytest.importorskip("torch", reason="the losses are torch")
    from recsys.recommenders.joint.losses import ranking_loss

    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(4, 8, generator=random)
    candidates = torch.rand(4, 8, generator=random) < 0.8
    positive = ((torch.rand(4, 8, generator=random) < 0.4) & candidates).float()
    one, two = (ranking_loss(s, positive, candidates) for s in (scores, scores + shift))
    assert one >= 0
    torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)
