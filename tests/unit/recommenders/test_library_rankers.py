from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recsys.errors import ConfigError, DataError, NotFittedError
from recsys.queries.query import Query, rated_mask
from recsys.recommenders.closed_form.ease import (
    Ease,
    EaseConfig,
    RankReducedEase,
    RankReducedEaseConfig,
    ease_weights,
    leading_directions,
)
from recsys.recommenders.implicit_models import (
    ImplicitALS,
    ImplicitALSConfig,
    ImplicitBPR,
    ImplicitBPRConfig,
)
from recsys.testing.contract import fit, share_ordered, strangers
from recsys.testing.worlds import two_genre_world


def test_all_dimensions_are_ease_itself() -> None:
    world = two_genre_world()
    query = Query.known(world.train)
    whole = fit(Ease(EaseConfig(l2=20.0)), world).score(query)
    cut = fit(RankReducedEase(RankReducedEaseConfig(rank=1000, l2=20.0)), world).score(query)
    np.testing.assert_allclose(cut, whole, atol=1e-5)


def test_no_other_cut_loses_less_of_the_regularised_scores() -> None:
    matrix = rated_mask(two_genre_world().train.matrix())
    config = RankReducedEaseConfig(rank=4, l2=20.0)
    weights = ease_weights(matrix, config.l2).astype(np.float64)

    def lost(cut):
        difference = weights - cut
        return np.sum((matrix @ difference) ** 2) + config.l2 * np.sum(difference**2)

    directions = leading_directions(weights, matrix, config)
    best = lost(weights @ directions @ directions.T)
    left, sizes, right = np.linalg.svd(weights)
    assert best < lost((left[:, :4] * sizes[:4]) @ right[:4])
    augmented = np.vstack([matrix.toarray(), np.sqrt(config.l2) * np.eye(len(weights))])
    tail = np.linalg.svd(augmented @ weights, compute_uv=False)[4:]
    assert best == pytest.approx(np.sum(tail**2))


@pytest.mark.parametrize("config", [ImplicitALSConfig, ImplicitBPRConfig])
def test_options_must_be_positive(config) -> None:
    with pytest.raises(ConfigError, match="greater than 0"):
        config(regularization=0.0)
    with pytest.raises(ConfigError, match="rank is"):
        RankReducedEaseConfig(rank=0)


@pytest.mark.parametrize("model", [ImplicitALS, ImplicitBPR])
def test_without_the_library_the_extra_is_named(model, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("implicit", "implicit.cpu", "implicit.cpu.als", "implicit.cpu.bpr"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=r"recsys\[bench\]"):
        fit(model(), two_genre_world())


def test_als_solves_hu_koren_volinsky_for_a_user() -> None:
    pytest.importorskip("implicit")
    world = two_genre_world()
    config = ImplicitALSConfig(factors=8, regularization=5.0, alpha=3.0)
    model = fit(ImplicitALS(config), world)
    items = model.item_vectors().astype(np.float64)
    rated = world.train.matrix()[[0]].toarray()[0] > 0
    confidence = np.where(rated, config.alpha, 1.0)
    normal = (items.T * confidence) @ items + config.regularization * np.eye(8)
    expected = np.linalg.solve(normal, config.alpha * items[rated].sum(axis=0))
    found = model.user_vectors(Query.of(world.train.matrix()[[0]]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_als_served_in_numpy_is_the_library_s_own_fold_in() -> None:
    als = pytest.importorskip("implicit.cpu.als")
    matrix = two_genre_world().train.matrix()
    config = ImplicitALSConfig(factors=8, regularization=5.0, alpha=3.0)
    model = fit(ImplicitALS(config), two_genre_world())
    with threadpool_limits(1, "blas"):
        library = als.AlternatingLeastSquares(
            factors=8, regularization=5.0, alpha=3.0, num_threads=1
        )
        library.item_factors = model.item_vectors()
        library.factors = 8
        ones = sp.csr_matrix(rated_mask(matrix))
        expected = library.recalculate_user(np.arange(len(ones.indptr) - 1), ones)
    found = model.user_vectors(Query.of(matrix))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.abs(found).max() > 0.1


def test_the_seed_is_what_als_depends_on() -> None:
    pytest.importorskip("implicit")
    world = two_genre_world()
    query = Query.known(world.train)
    first, again, other = (
        fit(ImplicitALS(ImplicitALSConfig(factors=4, seed=seed)), world).score(query)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bpr_ranks_the_liked_genre_higher_and_repeats_itself() -> None:
    pytest.importorskip("implicit")
    world = two_genre_world()
    query = Query.known(world.train)
    config = ImplicitBPRConfig(8, learning_rate=0.05, regularization=0.01, iterations=100, seed=3)
    model = fit(ImplicitBPR(config), world)
    scores = model.score(query)
    assert share_ordered(scores, *world.liking(~world.cold)) > 0.85
    np.testing.assert_array_equal(scores, fit(ImplicitBPR(config), world).score(query))
    np.testing.assert_allclose(
        scores, model.user_vectors(query) @ model.item_vectors().T, rtol=1e-5, atol=1e-5
    )


def test_bpr_refuses_users_it_does_not_know() -> None:
    pytest.importorskip("implicit")
    world = two_genre_world()
    model = fit(ImplicitBPR(ImplicitBPRConfig(factors=4)), world)
    with pytest.raises(DataError, match="not in training"):
        model.score(strangers(world))
    with pytest.raises(NotFittedError):
        ImplicitBPR().score(strangers(world))
