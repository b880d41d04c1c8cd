"""Every model by its name, and what is said of a name or an option that there is none of."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from pydantic import BaseModel

from recsys.errors import ConfigError, NotFittedError, RecsysError
from recsys.queries.query import Query
from recsys.recommenders.base import Recommender
from recsys.recommenders.linear import VectorModel
from recsys.recommenders.registry import MODELS, create, parsed
from recsys.testing.worlds import data_of

FLAT = [name for name in MODELS if name != "joint"]


@pytest.mark.parametrize("name", MODELS)
def test_every_name_makes_its_model_with_a_frozen_config(name):
    model = create(name)
    assert isinstance(model, Recommender)
    assert model.name == name
    assert model.ranks or model.predicts_ratings
    assert isinstance(model.config, model.config_class)
    assert MODELS[name].facts == model.facts
    assert len(repr(model)) < 100
    if isinstance(model.config, BaseModel):
        assert model.config_class.model_config["frozen"]
    else:
        assert model.config_class.__dataclass_params__.frozen


@pytest.mark.parametrize("name", MODELS)
def test_before_it_is_fitted_a_model_says_so(name):
    model = create(name)
    for ask in (model.arrays, lambda: model.context, lambda: model.recommend(["u1"])):
        with pytest.raises(NotFittedError, match="fit"):
            ask()


@pytest.mark.parametrize("name", MODELS)
def test_facts_say_what_the_model_is(name):
    facts = MODELS[name].facts
    assert facts.summary
    assert facts.random == hasattr(create(name).config, "seed")
    assert (facts.library is None) == (facts.extra is None)


def test_roles():
    ranks = {name for name in MODELS if create(name).ranks}
    rates = {name for name in MODELS if create(name).predicts_ratings}
    stars_alone = {"global-mean", "bias", "svd", "svd++"}
    stars_alone |= {name for name in MODELS if name.startswith("myfm")}
    assert rates == stars_alone | {"joint", "item-knn"}
    assert ranks == set(MODELS) - stars_alone
    assert isinstance(create("popularity"), VectorModel)


def test_options_reach_the_config():
    assert create("ease", l2=17.0).config.l2 == 17.0
    assert create("ease", l2=17).config.l2 == 17.0
    assert type(create("ease", l2=17).config.l2) is float
    joint = create("joint", **{"model.ranking_dim": 7, "seed": 3})
    assert (joint.config.model.ranking_dim, joint.config.seed) == (7, 3)


def test_a_modality_by_suffix():
    assert create("content-knn:poster").config.modality == "poster"
    assert create("content-ridge:text", l2=3.0).config.modality == "text"
    with pytest.raises(ConfigError, match="no hyper-parameter 'modality'"):
        create("content-knn:poster", modality="text")


@pytest.mark.parametrize(
    ("name", "close"),
    [("itemknn", "item-knn"), ("Ease", "ease"), ("svd+", "svd"), ("xyz", "known: joint")],
)
def test_an_unknown_name_names_the_nearest(name, close):
    with pytest.raises(ConfigError, match=rf"there is no model '.*'\n.*{close}"):
        create(name)


@pytest.mark.parametrize("name", ["popularity:text", "joint:text", "myfm-ordinal-ids:text"])
def test_a_model_of_all_modalities_has_no_suffix(name):
    with pytest.raises(ConfigError, match="there is no model"):
        create(name)


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(ConfigError, match=r"ease has no hyper-parameter 'lambda'\n.*ease has: l2"):
        create("ease", **{"lambda": 3})
    with pytest.raises(ConfigError, match=r"'shrnk'\n.*did you mean shrink"):
        create("item-knn", shrnk=3.0)
    with pytest.raises(ConfigError, match=r"did you mean 'ranking_dim'"):
        create("joint", **{"model.rankin_dim": 3})


@pytest.mark.parametrize("name", FLAT)
def test_an_option_that_is_unknown_to_any_model_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name.split(':')[0].replace('+', '.')} has no"):
        create(name, zzz=1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ease", {"l2": "300"}),
        ("ease", {"l2": True}),
        ("ease", {"l2": None}),
        ("item-knn", {"k": 10.0}),
        ("item-knn", {"k": True}),
        ("content-knn", {"standardise": 1}),
        ("content-knn", {"weighting": 3}),
        ("content-knn", {"weighting": "likes"}),
        ("content-knn", {"modality": 3}),
        ("content-knn", {"k": "ten"}),
        ("content-knn", {"k": 2.5}),
        ("content-knn", {"width": "wide"}),
        ("content-knn-plain", {"k": "ten"}),
        ("joint", {"model.ranking_dim": "many"}),
    ],
)
def test_values_of_another_kind_are_refused(name, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        create(name, **options)


def test_values_that_may_be_absent_may_be():
    assert create("content-knn", k=None, width=None).config.k is None
    assert create("content-knn", k=7, width=2).config == replace(
        create("content-knn").config, k=7, width=2.0
    )


def test_options_from_texts():
    found = parsed(["l2=300", "weighting=liked", "width = null", "seed=2"])
    assert found == {"l2": 300, "weighting": "liked", "width": None, "seed": 2}
    for bad in ("l2", "=3", " =3", "l2=[1"):
        with pytest.raises(ConfigError):
            parsed([bad])


def test_configs_cannot_be_altered():
    with pytest.raises(dataclasses.FrozenInstanceError):
        create("ease").config.l2 = 1.0


def test_an_error_before_fit_names_the_model():
    with pytest.raises(NotFittedError, match="popularity was asked before it was fitted"):
        create("popularity").item_vectors()


def test_a_fit_that_fails_leaves_the_model_as_it_was(ratings):
    model = create("bias")
    nothing = ratings.select(np.arange(0))
    with pytest.raises(RecsysError):
        model.fit(data_of(nothing))
    with pytest.raises(NotFittedError):
        model.arrays()


def test_ease_looks_at_who_rated_what_and_not_at_the_stars(ratings):
    ones = replace(ratings, rating=np.ones_like(ratings.rating))
    stars, no_stars = (create("ease").fit(data_of(r)) for r in (ratings, ones))
    np.testing.assert_array_equal(
        stars.score(Query.known(ratings)), no_stars.score(Query.known(ones))
    )


def test_altering_vectors_leaves_popularity_as_it_was(ratings):
    model = create("popularity").fit(data_of(ratings))
    model.item_vectors()[:] = 0
    assert model.item_vectors().any()


def test_popularity_counts_training_ratings(ratings):
    model = create("popularity").fit(data_of(ratings))
    scores = model.score(Query.known(ratings, np.array([0, 24])))
    np.testing.assert_array_equal(scores, np.tile(ratings.item_counts(), (2, 1)))
