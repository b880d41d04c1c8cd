"""Shuffled ratings teach nothing, and whoever knows better is caught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from recsys.benchmark.gates import PERSONAL, GateError, pairs, require
from recsys.benchmark.grounds import Material, joined
from recsys.benchmark.null_fit import Shuffled
from recsys.recommenders.item_knn.model import ItemKNN
from recsys.recommenders.popularity import Popularity

from recsys.benchmark import null_fit
from recsys.benchmark.protocols import PROTOCOLS, Cell
from recsys.data.interactions import Interactions
from recsys.recommenders.bias import BiasModel
from recsys.recommenders.closed_form.ease import Ease, EaseConfig

TITLES = ("features.text=null",)
NAMES = ("ndcg@10", "others", "personal", "chance", "deviations", "explained")
LISTS = ["ro", "cold-items", "cold-users"]


@pytest.fixture
def shuffled(protocol_of):
    def make(split="ro", seed=1) -> tuple[Shuffled, Shuffled]:
        """The ground as it is, told as shuffled, and shuffled."""
        ground = Material.of(protocol_of(split)).ground(Cell(split, seed))
        same = np.arange(len(ground.split.train.items), dtype=np.int32)
        return Shuffled(ground, same, ground), Shuffled.of(ground, seed)

    return make


@pytest.mark.parametrize("split", [*LISTS, "random-90-10"])
def test_movies_are_exchanged_and_nothing_else(shuffled, split):
    before, after = shuffled(split)
    old, new = before.ground.split, after.ground.split
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
    split = before.ground.split
    assert np.array_equal(after.given[split.cold_items], split.cold_items)
    moved = after.given[split.cold_valid_items]
    assert np.array_equal(np.sort(moved), split.cold_valid_items)


def test_what_newcomers_tell_is_shuffled_too(shuffled):
    before, after = shuffled("cold-users")
    old, new = before.asked(), after.asked()
    told = old.query.histories.tocoo()
    assert np.array_equal(new.query.histories.toarray()[told.row, after.given[told.col]], told.data)
    assert new.query.histories.nnz == told.nnz
    assert new.task.truth.multiply(new.task.seen).nnz == 0
    assert new.task.truth.nnz < old.task.truth.nnz


def test_it_is_the_same_every_time_and_another_for_another_seed(shuffled):
    given = [shuffled("ro", seed)[1].given.tolist() for seed in (1, 1, 2)]
    assert given[0] == given[1] != given[2]


def fitted(model, of: Shuffled):
    split = of.ground.split
    return model.fit(split.train, split.valid, of.ground.catalogue)


@pytest.mark.parametrize("split", ["ro", "cold-users"])
def test_a_model_falls_to_chance_after_shuffled_ratings_alone(shuffled, split):
    found = []
    for of in shuffled(split):
        model = fitted(Ease(EaseConfig(l2=10.0)), of)
        found.append(null_fit.values(model, of, ("warm",))["null/deviations"])
    assert found[1] < 3 < found[0]


def test_shuffled_stars_explain_nothing(shuffled):
    found = []
    for of in shuffled("random-90-10"):
        model = fitted(ItemKNN(), of)
        found.append(null_fit.values(model, of, ("rating",))["null/explained"])
    assert found[0] > 0.1
    assert found[1] < 0.02


def test_of_who_ranks_and_predicts_both_are_looked_at(shuffled):
    _, after = shuffled("ro")
    model = fitted(BiasModel(), after)
    assert set(null_fit.values(model, after, ("rating",))) == {"null/explained"}
    ranking = fitted(Ease(EaseConfig()), after)
    model.score = ranking.score
    both = null_fit.values(model, after, ("warm", "rating"))
    assert set(both) == {f"null/{n}" for n in NAMES}


class Knows:
    """Scores and stars as the test ratings have them."""

    def __init__(self, test: Interactions) -> None:
        self.truth = test.matrix().toarray()

    def score(self, query):
        return self.truth[query.users].astype(np.float32)

    def predict(self, query, rows, items):
        from recsys.queries.query import RatingPrediction

        return RatingPrediction(self.truth[query.users[rows], items].astype(np.float32))


@pytest.mark.parametrize(("task", "gate"), [("warm", "null/personal"), ("rating", "null/exp")])
def test_who_was_told_of_the_test_part_is_caught(shuffled, task, gate):
    before, after = shuffled("ro")
    values = null_fit.values(Knows(before.ground.split.test), after, (task,))
    with pytest.raises(GateError, match=gate):
        require(values)


class Liked:
    """The same movies for everybody: the first, before all others."""

    def score(self, query):
        return np.tile(-np.arange(query.histories.shape[1], dtype=np.float32), (len(query), 1))


def test_who_was_told_what_most_are_to_find_is_caught(shuffled):
    asked = shuffled("ro")[1].asked()
    shape = asked.task.truth.shape
    half = np.random.default_rng(3).random(shape) < 0.5 * (np.arange(shape[1]) < 6)
    to_find = sp.csr_array(half.astype(np.float32))
    truth = null_fit._without(to_find, sp.csr_array(asked.task.seen))
    of_few = asked._replace(task=replace(asked.task, truth=truth))
    found = null_fit._of_lists(Liked(), of_few, to_find)
    assert abs(found["personal"]) < 5
    with pytest.raises(GateError, match="null/deviations"):
        require({"null/deviations": found["deviations"]})


def test_lists_of_everybody_are_worth_as_much_for_others(shuffled):
    """Movies that many know are taken out of what others are to find as out of one's own."""
    after = shuffled("ro")[1]
    values = null_fit.values(fitted(Popularity(), after), after, ("warm",))
    assert abs(values["null/personal"]) < 3
    assert values["null/others"] == pytest.approx(values["null/ndcg@10"], abs=0.05)


def test_chance_is_what_random_lists_come_to(shuffled):
    _, after = shuffled("ro")
    values = null_fit.values(_Drawn(), after, ("warm",))
    assert abs(values["null/ndcg@10"] - values["null/chance"]) < 0.05
    assert 0 < values["null/chance"] < 0.5


def test_what_knows_of_all_alike_is_caught_where_nothing_deviates():
    assert null_fit._times(1.0, 0.0) > PERSONAL
    assert null_fit._times(0.0, 0.0) == 0


class _Drawn:
    def score(self, query):
        return np.random.default_rng(0).random(query.histories.shape, dtype=np.float32)


def test_a_refitted_ground_is_shuffled_as_well(shuffled):
    _, after = shuffled("random-90-10")
    split, whole = after.ground.split, after.refitted.ground.split
    assert len(whole.train) == len(split.train) + len(split.valid)
    assert len(whole.valid) == 0
    assert np.array_equal(after.refitted.given, after.given)


def test_where_every_list_is_the_same_there_is_no_deviation(shuffled):
    asked = shuffled("ro")[1].asked()
    first = sp.csr_array(asked.task.truth.multiply(np.arange(asked.task.truth.shape[1]) == 0))
    first.eliminate_zeros()
    task = replace(asked.task, truth=first, candidates=np.array([0], dtype=np.int32))
    found = null_fit._of_lists(_Drawn(), asked._replace(task=task), first)
    assert found["deviations"] == found["personal"] == 0


@pytest.mark.realdata
@pytest.mark.ml100k
def test_on_real_data_test_ratings_among_shuffled_ones_are_found():
    """EASE tells, which learns pairs of movies; popularity cannot: it hardly changes."""
    material = Material.of(replace(PROTOCOLS["ml-ro"], bases=("default",), overrides=TITLES))
    shuffled = Shuffled.of(material.ground(Cell("ro", 2020)), 2020)
    split, catalogue = shuffled.ground.split, material.catalogue
    honest, leaky = split.train, joined(split.train, split.test)
    found = {
        (kind, told is leaky): null_fit.values(
            kind().fit(told, split.valid, catalogue), shuffled, ("warm",)
        )["null/personal"]
        for kind in (Ease, Popularity)
        for told in (honest, leaky)
    }
    assert found[Ease, True] > PERSONAL
    assert all(abs(value) < 3 for key, value in found.items() if key != (Ease, True))
