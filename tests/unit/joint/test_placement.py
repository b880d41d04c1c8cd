"""Placing movies that nobody rated, against scikit-learn and against its own laws."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.config.experiment import PlacementConfig
from recsys.data.catalogue import EncoderCard, ModalityTable
from recsys.recommenders.joint.placement import Directions, Placement, place

WIDE = {"text": 40, "poster": 30}
NARROW = {"text": 5, "poster": 4}
RATED = np.arange(30) % 4 != 1
N_RATED, N = int(RATED.sum()), len(RATED)
WEIGHTS = {"text": 2.0}


@pytest.fixture(scope="module", params=[WIDE, NARROW], ids=["wide", "narrow"])
def world(request):
    """More numbers than movies, and fewer: the regression is solved in another form."""
    random = np.random.default_rng(3)
    dims = request.param
    present = {"text": np.arange(N) % 7 != 2, "poster": np.arange(N) % 5 != 1}
    present["poster"][2], present["text"][5], present["poster"][5] = False, False, False
    return Tables(
        {
            name: ModalityTable(
                name,
                (random.normal(size=(N, dim)) + 1).astype(np.float32),
                present[name],
                EncoderCard(name, "1", dim, "", "", "", ""),
                "movies",
            )
            for name, dim in dims.items()
        }
    )


class Tables(dict[str, ModalityTable]):
    @property
    def centres(self):
        return {name: table.vectors[table.present].mean(axis=0) for name, table in self.items()}

    def placement(self, **options):
        config = PlacementConfig(**({"weights": WEIGHTS, "stretch": 2.0} | options))
        return Placement(self, self.centres, RATED, config)

    def directions(self, names=None):
        return {
            name: Directions.of(table.vectors, table.present, self.centres[name])
            for name, table in self.items()
            if names is None or name in names
        }

    def z(self):
        """(I, D), written out movie by movie."""
        rows = np.zeros((N, 0))
        for name, table in sorted(self.items()):
            block = np.zeros(table.vectors.shape)
            for movie in np.flatnonzero(table.present):
                x = table.vectors[movie] - self.centres[name]
                block[movie] = WEIGHTS.get(name, 1.0) ** 0.5 * x / np.linalg.norm(x)
            rows = np.hstack([rows, block])
        return rows


@pytest.fixture(scope="module")
def heads():
    random = np.random.default_rng(4)
    return {"ranked": random.normal(size=(N, 3)) + 2, "rank_bias": random.normal(size=(N, 1))}


def test_it_is_the_ridge_regression_of_scikit_learn(world, heads):
    linear_model = pytest.importorskip("sklearn.linear_model")
    z = world.z()
    ridge = 0.7 * np.square(z[RATED]).sum(axis=1).mean()
    placement = world.placement(ridge=0.7)
    weights = placement.fit(heads, stretched=())
    for head, values in heads.items():
        mean = values[RATED].mean(axis=0)
        oracle = linear_model.Ridge(alpha=ridge, fit_intercept=False)
        oracle.fit(z[RATED], values[RATED] - mean)
        expected = mean + z[~RATED] @ np.atleast_2d(oracle.coef_).T
        np.testing.assert_allclose(placement.unrated(weights, head), expected, atol=1e-5)


def test_stretching_gives_predictions_the_spread_of_what_was_learnt(world, heads):
    """Against fits that really leave each movie out."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    z = world.z()[RATED]
    ridge = 3.0 * np.square(z).sum(axis=1).mean()
    placement = world.placement(ridge=3.0)
    plain, stretched = (placement.fit(heads, s) for s in ((), heads))
    for head, values in heads.items():
        y = values[RATED] - values[RATED].mean(axis=0)
        left_out = []
        for movie in range(N_RATED):
            kept = np.arange(N_RATED) != movie
            oracle = linear_model.Ridge(alpha=ridge, fit_intercept=False).fit(z[kept], y[kept])
            left_out.append(np.atleast_1d(oracle.predict(z[[movie]])[0]))
        factor = min(np.linalg.norm(y) / np.linalg.norm(left_out), 2.0)
        assert factor > 1
        for name in world:
            key = f"placement/map/{head}/{name}"
            np.testing.assert_allclose(stretched[key], factor * plain[key], rtol=1e-3, atol=1e-6)


def test_stretching_has_a_limit(world):
    values = {"ranked": np.random.default_rng(9).normal(size=(N, 2))}
    placement = world.placement(ridge=1e6)
    plain, stretched = (placement.fit(values, s) for s in ((), {"ranked"}))
    key = "placement/map/ranked/text"
    np.testing.assert_allclose(stretched[key], 2 * plain[key], rtol=1e-6)


def test_nothing_is_stretched_unless_it_is_asked_for(world, heads):
    assert PlacementConfig().stretch == 1
    placement = world.placement(stretch=1.0)
    one, two = placement.fit(heads, ()), placement.fit(heads, heads)
    for key, array in one.items():
        np.testing.assert_array_equal(array, two[key])


def test_stretching_leaves_the_order_among_new_movies_as_it_is(world, heads):
    placement = world.placement()
    plain, stretched = (placement.fit(heads, s) for s in ((), {"rank_bias"}))
    one, two = (placement.unrated(w, "rank_bias")[:, 0] for w in (plain, stretched))
    np.testing.assert_array_equal(np.argsort(one, kind="stable"), np.argsort(two, kind="stable"))
    assert np.ptp(two) > np.ptp(one)


def test_what_unrated_movies_hold_is_not_looked_at(world, heads):
    other = {name: np.where(RATED[:, None], values, 1e6) for name, values in heads.items()}
    placement = world.placement()
    one, two = placement.fit(heads, heads), placement.fit(other, heads)
    for key, array in one.items():
        np.testing.assert_array_equal(array, two[key])


def test_every_modality_moves_a_movie_by_an_addend_of_its_own(world, heads):
    weights = world.placement().fit(heads, heads)
    whole = place(world.directions(), weights, "ranked", N)
    text, poster, nothing = (
        place(world.directions(names), weights, "ranked", N) for names in (["text"], ["poster"], [])
    )
    np.testing.assert_allclose(whole - nothing, text + poster - 2 * nothing, atol=1e-6)
    np.testing.assert_array_equal(nothing, np.tile(weights["placement/mean/ranked"], (N, 1)))
    bare = ~np.any([table.present for table in world.values()], axis=0)
    assert bare.any()
    np.testing.assert_array_equal(whole[bare], nothing[bare])


def test_length_and_place_of_the_vectors_do_not_matter_but_their_direction_does(world, heads):
    scaled = Tables(
        {
            name: ModalityTable(name, 7 * t.vectors + 3, t.present, t.card, t.items)
            for name, t in world.items()
        }
    )
    one, two = (
        tables.placement().unrated(tables.placement().fit(heads, heads), "ranked")
        for tables in (world, scaled)
    )
    np.testing.assert_allclose(one, two, atol=1e-4)
    assert np.ptp(one, axis=0).min() > 0.01


def test_a_weight_of_zero_switches_a_modality_off(world, heads):
    placement = world.placement(weights={"text": 0.0})
    weights = placement.fit(heads, heads)
    assert not weights["placement/map/ranked/text"].any()
    assert weights["placement/map/ranked/poster"].any()


def test_movies_whose_modalities_nobody_rated_lie_at_the_mean(heads):
    present = ~RATED
    table = ModalityTable(
        "text",
        np.ones((N, 3), dtype=np.float32) + np.eye(N, 3, dtype=np.float32),
        present,
        EncoderCard("text", "1", 3, "", "", "", ""),
        "movies",
    )
    tables = Tables(text=table)
    placement = tables.placement()
    found = placement.unrated(placement.fit(heads, heads), "ranked")
    mean = heads["ranked"][RATED].mean(axis=0)
    np.testing.assert_allclose(found, np.tile(mean, (N - N_RATED, 1)), atol=1e-6)


def test_a_movie_at_the_centre_has_no_direction():
    vectors = np.array([[1.0, 2.0], [4.0, 6.0]])
    found = Directions.of(vectors, np.array([True, True]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(found.units, [[0, 0], [0.6, 0.8]])
    assert found.select(np.array([False, True])).all_rows().tolist() == [[0.6, 0.8]]


def test_a_modality_that_is_none_is_refused():
    from recsys.config.loading import load_experiment
    from recsys.errors import ConfigError

    with pytest.raises(ConfigError, match=r"metdata.*metadata"):
        load_experiment("default", ["placement.weights={metdata: 2}"])
