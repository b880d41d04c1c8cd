from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import ConfigError, NotFittedError
from recsys.queries.query import Query, RatingPredictor, Recommender, VectorRecommender
from recsys.recommenders.registry import BASELINES, make_baseline


def test_every_baseline_has_its_name_and_a_frozen_config():
    for name, kind in BASELINES.items():
        baseline = make_baseline(name)
        assert baseline.name == name
        assert baseline.config == kind.config()
        assert kind.config.__dataclass_params__.frozen


def test_roles():
    ranks = {name for name in BASELINES if isinstance(make_baseline(name), Recommender)}
    rates = {name for name in BASELINES if isinstance(make_baseline(name), RatingPredictor)}
    by_content = {"content-knn", "content-knn-plain", "content-ridge", "ease-content", "marec"}
    assert ranks == {"popularity", "genre-popularity", "item-knn", "ease"} | by_content
    assert rates == {"bias", "item-knn"}
    assert isinstance(make_baseline("popularity"), VectorRecommender)


def test_options_reach_the_config():
    assert make_baseline("ease", l2=17.0).config.l2 == 17.0


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown baseline: 'itemknn'.*\n.*item-knn"):
        make_baseline("itemknn")


def test_an_unknown_option_names_the_known():
    with pytest.raises(ConfigError, match=r"unknown option of ease: 'lambda'.*\n.*known: l2"):
        make_baseline("ease", **{"lambda": 3})


def test_configs_cannot_be_altered():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_baseline("ease").config.l2 = 1.0


def test_an_error_before_fit_names_the_model(ratings):
    with pytest.raises(NotFittedError, match="popularity was asked before it was fitted"):
        make_baseline("popularity").item_vectors()


def test_ease_looks_at_who_rated_what_and_not_at_the_stars(ratings):
    ones = replace(ratings, rating=np.ones_like(ratings.rating))
    stars, no_stars = (make_baseline("ease").fit(r, r, None) for r in (ratings, ones))
    np.testing.assert_array_equal(
        stars.score(Query.known(ratings)), no_stars.score(Query.known(ones))
    )


def test_altering_vectors_leaves_popularity_as_it_was(ratings):
    model = make_baseline("popularity").fit(ratings, ratings, None)
    model.item_vectors()[:] = 0
    assert model.item_vectors().any()


def test_popularity_counts_training_ratings(ratings):
    model = make_baseline("popularity").fit(ratings, ratings, None)
    scores = model.score(Query.known(ratings, np.array([0, 24])))
    np.testing.assert_array_equal(scores, np.tile(ratings.item_counts(), (2, 1)))
