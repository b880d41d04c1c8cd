"""What is masked, what may be recommended and what is evaluated, against loops over sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.served import served_world

from recsys.config.experiment import EvaluationConfig
from recsys.data.dataset import Dataset
from recsys.data.splits import LabelSplit, Split, make_split
from recsys.errors import DataError
from recsys.evaluation.evaluate import Evaluator
from recsys.queries.query import AudiencePrediction, Query, RatingPrediction
from recsys.recommenders.registry import create
from recsys.testing.worlds import two_genre_world
from recsys.workflow import document_of, evaluate_row

CASES = [("ro", "valid"), ("ro", "test"), ("cold-items", "valid"), ("cold-items", "test")]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """All ratings of the world of two genres, those of its cold movies among them."""
    return two_genre_world().split.dataset


@pytest.fixture(scope="module")
def split_of(dataset):
    def make(name: str) -> Split:
        return make_split(dataset, name, seed=4)

    return make


@pytest.fixture(scope="module")
def rules() -> EvaluationConfig:
    return EvaluationConfig(ks=(1, 3, 5), block=7)


def evaluator(split, part, rules=None) -> Evaluator:
    return (Evaluator.on_test if part == "test" else Evaluator.on_valid)(split, rules)


class Fixed:
    """Scores drawn once for every user and movie; remembers the histories it was asked with."""

    def __init__(self, shape):
        self.scores = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        self.asked = []

    def score(self, query):
        self.asked.append(query)
        return self.scores[query.users]

    def predict_ratings(self, query, rows, items):
        self.asked.append(query)
        return RatingPrediction(2 + self.scores[query.users[rows], items] / 4)


def of_user(part, user):
    return set(part.item[part.user == user].tolist())


def by_hand(split, part, scores, candidates, k):
    """recall@k, precision@k and ndcg@k of every user with something to find."""
    truth = getattr(split, part)
    found = []
    for user in range(scores.shape[0]):
        relevant = of_user(truth, user)
        if not relevant:
            continue
        seen = of_user(split.train, user)
        if part == "test":
            seen |= of_user(split.valid, user)
        allowed = [item for item in candidates if item not in seen]
        best = sorted(allowed, key=lambda item: -scores[user, item])[:k]
        hits = [item in relevant for item in best]
        gain = sum(hit / np.log2(rank + 2) for rank, hit in enumerate(hits))
        ideal = sum(1 / np.log2(rank + 2) for rank in range(min(k, len(relevant))))
        found.append((sum(hits) / len(relevant), sum(hits) / k, gain / ideal))
    return np.array(found).T


def require_equal(result, expected, k):
    for name, values in zip(("recall", "precision", "ndcg"), expected, strict=True):
        np.testing.assert_allclose(result.per_user[f"{name}@{k}"], values, atol=1e-12)


@pytest.mark.parametrize(("name", "part"), CASES)
def test_ranking_is_what_loops_over_sets_find(split_of, rules, name, part):
    split, scorer = split_of(name), Fixed(split_of(name).train.shape)
    truth = getattr(split, part)
    cold = name == "cold-items"
    candidates = np.unique(truth.item) if cold else np.arange(split.train.shape[1])
    result = evaluator(split, part, rules).ranking(scorer)
    for k in rules.ks:
        require_equal(result, by_hand(split, part, scorer.scores, candidates, k), k)


@pytest.mark.parametrize("part", ["valid", "test"])
def test_overall_ranks_all_movies_where_cold_ones_are_evaluated(split_of, rules, part):
    split, scorer = split_of("cold-items"), Fixed(split_of("cold-items").train.shape)
    result = evaluator(split, part, rules).overall(scorer)
    everything = np.arange(split.train.shape[1])
    for k in rules.ks:
        require_equal(result, by_hand(split, part, scorer.scores, everything, k), k)
    assert result.means() != evaluator(split, part, rules).ranking(scorer).means()


def test_there_is_no_overall_where_no_movie_is_cold(split_of, rules):
    split = split_of("ro")
    for part in ("valid", "test"):
        assert evaluator(split, part, rules).overall(Fixed(split.train.shape)) is None


def test_the_cold_movies_of_a_part_are_its_own(split_of, rules):
    split = split_of("cold-items")
    valid, test = (set(evaluator(split, part, rules).cold.tolist()) for part in ("valid", "test"))
    assert valid
    assert test
    assert not valid & test
    assert not (valid | test) & set(split.train.item.tolist())


@pytest.mark.parametrize(("name", "part"), CASES)
def test_rating_is_evaluated_on_every_rating_of_the_part(split_of, rules, name, part):
    split, model = split_of(name), Fixed(split_of(name).train.shape)
    truth = getattr(split, part)
    expected = 2 + model.scores[truth.user, truth.item] / 4
    error = np.clip(expected, 1, 5).astype(float) - truth.rating
    found = evaluator(split, part, rules).rating(model)
    assert found.n == len(truth)
    assert found.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-9)
    assert found.mae == pytest.approx(np.mean(np.abs(error)), abs=1e-9)


@pytest.mark.parametrize(("name", "part"), CASES)
def test_whatever_is_evaluated_a_user_is_their_training_ratings(split_of, rules, name, part):
    split, model = split_of(name), Fixed(split_of(name).train.shape)
    asked = evaluator(split, part, rules)
    asked.ranking(model)
    asked.rating(model)
    train = split.train.matrix().toarray()
    for query in model.asked:
        np.testing.assert_array_equal(query.histories.toarray(), train[query.users])
    assert max(len(query) for query in model.asked[:-1]) <= rules.block


def test_a_split_without_test_has_nothing_to_evaluate(split_of, rules):
    split = split_of("all")
    assert not len(split.test)
    with pytest.raises(DataError, match="split all keeps no test part") as caught:
        Evaluator.on_test(split, rules)
    assert "another --split" in caught.value.hint
    assert Evaluator.on_valid(split, rules).rating(Fixed(split.train.shape)).n == len(split.valid)


def test_genres_are_evaluated_on_the_movies_of_the_part(split_of, rules):
    split = split_of("ro")
    perfect = split.catalogue.genres.astype(np.float32)
    for part in ("valid", "test"):
        mask = getattr(split.labels, part)
        probabilities = np.where(mask[:, None], perfect, 1 - perfect).astype(np.float32)
        found = evaluator(split, part, rules).genre(probabilities)
        assert found.n_items == mask.sum() > 0
        assert found.macro_f1 == found.micro_f1 == 1


def test_without_labels_there_is_no_evaluation_of_genres(split_of, rules):
    split = split_of("ro")
    nothing = np.zeros(len(split.catalogue), dtype=bool)
    bare = replace(split)
    bare.__dict__["labels"] = LabelSplit(~nothing, nothing, nothing)
    for part in ("valid", "test"):
        assert evaluator(bare, part, rules).genre(split.catalogue.genres.astype("f4")) is None


def test_valid_is_evaluated_alike_with_the_test_at_hand_and_without(split_of, rules):
    for name in ("ro", "cold-items"):
        split = split_of(name)
        model = Fixed(split.train.shape)
        one, other = (Evaluator.on_valid(given, rules) for given in (split, split.for_fitting()))
        assert one.ranking(model).means() == other.ranking(model).means()
        assert one.rating(model).summary() == other.rating(model).summary()
        np.testing.assert_array_equal(one.labelled, other.labelled)


def test_everything_a_model_answers_is_evaluated():
    model = served_world().model
    dataset = Dataset("toy", model.context.histories, model.context.catalogue)
    split = make_split(dataset, "random-90-10", 0)
    asked = Evaluator.on_test(split)
    found = asked.evaluate(model)
    assert found.ranking.means() == asked.ranking(model).means()
    assert found.rating.summary() == asked.rating(model).summary()
    assert found.genre.summary() == asked.genre(model.genre_probabilities()).summary()
    assert found.audience.summary() == asked.audience(model.audience()).summary()
    assert found.overall is None
    assert found.seconds > 0
    row = found.row(seed=3, fit_seconds=1.5, parameters=7)
    assert (row.model, row.seed, row.parameters) == ("joint", 3, 7)
    assert (row.seconds.fit, row.seconds.score) == (1.5, found.seconds)
    assert row.n_users == len(np.unique(split.test.user))
    assert {"ndcg@10", "recall@10", "coverage@10"} <= row.ranking.keys()


@pytest.mark.parametrize("name", ["popularity", "bias", "item-knn"])
def test_what_a_model_does_not_answer_is_not_evaluated(split_of, name):
    split = split_of("ro")
    model = create(name).fit(split)
    row = Evaluator.on_test(split).evaluate(model).row()
    assert (row.ranking is not None) == model.ranks
    assert (row.rating is not None) == model.predicts_ratings
    assert (row.genre, row.audience, row.overall) == (None, None, None)
    assert (row.n_users > 0) == model.ranks


def test_the_query_holds_every_user_in_order(split_of, rules):
    split = split_of("ro")
    query = Evaluator.on_test(split, rules).query
    assert isinstance(query, Query)
    assert query.users.tolist() == list(range(split.train.shape[0]))


def audience_of(split, seed=2):
    random = np.random.default_rng(seed)
    n = split.train.shape[1]
    mean, std = random.uniform(1, 5, n), np.full(n, 0.5)
    return AudiencePrediction(mean.astype(np.float32), std.astype(np.float32), 0.5)


@pytest.mark.parametrize(("name", "part"), CASES)
def test_audience_is_evaluated_on_cold_movies_or_on_all_of_the_part(split_of, rules, name, part):
    split = split_of(name)
    truth, predicted = getattr(split, part), audience_of(split)
    found = evaluator(split, part, rules).audience(predicted)
    expected = np.unique(truth.item)
    assert found.items.tolist() == expected.tolist()
    means = [truth.rating[truth.item == movie].mean(dtype=float) for movie in expected]
    np.testing.assert_allclose(found.observed, means, rtol=1e-6)
    trained_on = np.isin(expected, split.train.item)
    assert not trained_on.any() if name == "cold-items" else trained_on.all()


def test_a_row_and_its_document_carry_the_audience(split_of):
    split = split_of("cold-items")

    class Told(type(create("popularity"))):
        def audience(self):
            return audience_of(split)

    told, mute = (kind().fit(split) for kind in (Told, type(create("popularity"))))
    config = served_world().model.config
    row = evaluate_row(told, split, config)
    assert row.audience == Evaluator.on_test(split).audience(audience_of(split)).summary()
    document = document_of(row, split)
    assert document.audience == row.audience
    assert list(document.model_dump())[-1] == "audience"
    silent = evaluate_row(mute, split, config)
    assert silent.audience is None
    assert "audience" not in document_of(silent, split).model_dump(mode="json")
