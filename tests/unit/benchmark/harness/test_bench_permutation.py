"""Shuffled ratings teach nothing, and whoever knows better is caught."""

# ruff: noqa: ARG002 - models have these arguments whether they read them or not

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.benchmark import permutation
from recsys.benchmark.checks import PERSONAL, CheckError, pairs, require
from recsys.benchmark.permutation import Shuffled
from recsys.benchmark.protocols import PROTOCOLS, SplitSeed
from recsys.benchmark.split_data import BenchmarkData
from recsys.data.interactions import Interactions
from recsys.recommenders.base import Recommender
from recsys.recommenders.bias import BiasModel
from recsys.recommenders.closed_form.ease import Ease, EaseConfig
from recsys.recommenders.item_knn import ItemKNN
from recsys.recommenders.simple import Popularity

TITLES = ("features.text=null",)
NAMES = ("ndcg@10", "others", "personal", "chance", "deviations", "explained")
LISTS = ["ro", "cold-items", "cold-users"]


@pytest.fixture
def shuffled(protocol_of):
    def make(split="ro", seed=1) -> tuple[Shuffled, Shuffled]:
        """The data as it is, told as shuffled, and shuffled."""
        data = BenchmarkData.of(protocol_of(split)).split(SplitSeed(split, seed))
        same = np.arange(len(data.split.train.items), dtype=np.int32)
        return Shuffled(data, same, data), Shuffled.of(data, seed)

    return make


@pytest.mark.parametrize("split", [*LISTS, "random-90-10"])
def test_movies_are_exchanged_and_nothing_else(shuffled, split):
    before, after = shuffled(split)
    old, new = before.data.split, after.data.split
    assert sorted(after.given) == list(range(len(after.given)))
    for name in ("train", "valid"):
        one, other = old.parts[name], new.parts[name]
        assert np.array_equal(other.user, one.user)
        assert np.array_equal(other.item, after.given[one.item])
        assert not np.array_equal(other.item, one.item)
        assert np.array_equal(np.sort(other.rating), np.sort(one.rating))
        assert not np.array_equal(other.rating, one.rating)
        assert np.array_equal(other.time, one.time)
    kept = np.isin(pairs(old.test), pairs(new.test))
    assert 0.5 < kept.mean() <= 1
    assert new.test.fingerprint == old.test.select(kept).fingerprint


def test_cold_movies_stay_where_they_are(shuffled):
    before, after = shuffled("cold-items")
    split = before.data.split
    assert np.array_equal(after.given[split.cold_items], split.cold_items)
    moved = after.given[split.cold_valid_items]
    assert np.array_equal(np.sort(moved), split.cold_valid_items)


def test_what_held_out_users_tell_is_shuffled_too(shuffled):
    before, after = shuffled("cold-users")
    old, new = before.lists(), after.lists()
    told = old.query.histories.tocoo()
    assert np.array_equal(new.query.histories.toarray()[told.row, after.given[told.col]], told.data)
    assert new.query.histories.nnz == told.nnz
    assert new.task.truth.multiply(new.task.seen).nnz == 0
    assert new.task.truth.nnz < old.task.truth.nnz


def test_it_is_the_same_every_time_and_another_for_another_seed(shuffled):
    given = [shuffled("ro", seed)[1].given.tolist() for seed in (1, 1, 2)]
    assert given[0] == given[1] != given[2]


def fitted(model, of: Shuffled):
    return model.fit(of.data.split)


@pytest.mark.parametrize("split", ["ro", "cold-users"])
def test_a_model_falls_to_chance_after_shuffled_ratings_alone(shuffled, split):
    found = []
    for of in shuffled(split):
        model = fitted(Ease(EaseConfig(l2=10.0)), of)
        found.append(permutation.values(model, of, ("warm",))["deviations"])
    assert found[1] < 3 < found[0]


def test_shuffled_stars_explain_nothing(shuffled):
    found = []
    for of in shuffled("random-90-10"):
        model = fitted(ItemKNN(), of)
        found.append(permutation.values(model, of, ("rating",))["explained"])
    assert found[0] > 0.1
    assert found[1] < 0.02


def test_of_who_ranks_and_predicts_both_are_looked_at(shuffled):
    _, after = shuffled("ro")
    model = fitted(BiasModel(), after)
    assert set(permutation.values(model, after, ("rating",))) == {"explained"}
    both = permutation.values(fitted(ItemKNN(), after), after, ("warm", "rating"))
    assert set(both) == set(NAMES)


class Knows(Recommender):
    """Scores and stars as the test ratings have them."""

    name = "knows"
    config_class = type(None)

    def __init__(self, test: Interactions) -> None:
        super().__init__()
        self.truth = test.matrix().toarray()

    def score(self, query):
        return self.truth[query.users].astype(np.float32)

    def _fit(self, data):
        return {}

    def predict_ratings(self, query, rows, items):
        from recsys.queries.query import RatingPrediction

        return RatingPrediction(self.truth[query.users[rows], items].astype(np.float32))


@pytest.mark.parametrize(
    ("task", "gate"), [("warm", "permuted/personal"), ("rating", "permuted/exp")]
)
def test_who_was_told_of_the_test_part_is_caught(shuffled, task, gate):
    before, after = shuffled("ro")
    values = permutation.values(Knows(before.data.split.test), after, (task,))
    with pytest.raises(CheckError, match=gate):
        require({f"permuted/{name}": value for name, value in values.items()})


class Liked:
    """The same movies for everybody: the first, before all others."""

    def score(self, query):
        return np.tile(-np.arange(query.histories.shape[1], dtype=np.float32), (len(query), 1))


def test_who_was_told_what_most_are_to_find_is_caught(shuffled):
    lists = shuffled("ro")[1].lists()
    shape = lists.task.truth.shape
    half = np.random.default_rng(3).random(shape) < 0.5 * (np.arange(shape[1]) < 6)
    to_find = sp.csr_array(half.astype(np.float32))
    truth = permutation._without(to_find, sp.csr_array(lists.task.seen))
    of_few = lists._replace(task=replace(lists.task, truth=truth))
    found = permutation._of_lists(Liked(), of_few, to_find)
    assert abs(found["personal"]) < 5
    with pytest.raises(CheckError, match="permuted/deviations"):
        require({"permuted/deviations": found["deviations"]})


def test_lists_of_everybody_are_worth_as_much_for_others(shuffled):
    """Movies that many know are taken out of what others are to find as out of one's own."""
    after = shuffled("ro")[1]
    values = permutation.values(fitted(Popularity(), after), after, ("warm",))
    assert abs(values["personal"]) < 3
    assert values["others"] == pytest.approx(values["ndcg@10"], abs=0.05)


def test_chance_is_what_random_lists_come_to(shuffled):
    _, after = shuffled("ro")
    values = permutation.values(_Drawn(), after, ("warm",))
    assert abs(values["ndcg@10"] - values["chance"]) < 0.05
    assert 0 < values["chance"] < 0.5


def test_what_knows_of_all_alike_is_caught_where_nothing_deviates():
    assert permutation._times(1.0, 0.0) > PERSONAL
    assert permutation._times(0.0, 0.0) == 0


class _Drawn(Recommender):
    name = "drawn"
    config_class = type(None)

    def _fit(self, data):
        return {}

    def score(self, query):
        return np.random.default_rng(0).random(query.histories.shape, dtype=np.float32)


def test_a_refitted_ground_is_shuffled_as_well(shuffled):
    _, after = shuffled("random-90-10")
    split, whole = after.data.split, after.refit_on_train_valid().data.split
    assert len(whole.train) == len(split.train) + len(split.valid)
    assert len(whole.valid) == 0
    assert np.array_equal(after.refit_on_train_valid().given, after.given)


def test_where_every_list_is_the_same_there_is_no_deviation(shuffled):
    lists = shuffled("ro")[1].lists()
    first = sp.csr_array(lists.task.truth.multiply(np.arange(lists.task.truth.shape[1]) == 0))
    first.eliminate_zeros()
    task = replace(lists.task, truth=first, candidates=np.array([0], dtype=np.int32))
    found = permutation._of_lists(_Drawn(), lists._replace(task=task), first)
    assert found["deviations"] == found["personal"] == 0


@pytest.mark.realdata
@pytest.mark.ml100k
def test_on_real_data_test_ratings_among_shuffled_ones_are_found():
    """EASE tells, which learns pairs of movies; popularity cannot: it hardly changes."""
    material = BenchmarkData.of(replace(PROTOCOLS["ml-ro"], bases=("default",), overrides=TITLES))
    shuffled = Shuffled.of(material.split(SplitSeed("ro", 2020)), 2020)
    split = shuffled.data.split
    honest, leaky = split.for_fitting(), split.for_fitting()
    leaky = replace(leaky, train=split.train.join(split.test))
    found = {
        (kind, told is leaky): permutation.values(kind().fit(told), shuffled, ("warm",))["personal"]
        for kind in (Ease, Popularity)
        for told in (honest, leaky)
    }
    assert found[Ease, True] > PERSONAL
    assert all(abs(value) < 3 for key, value in found.items() if key != (Ease, True))
