"""What is masked, what may be recommended and what is judged, against loops over sets."""

from __future__ import annotations

import numpy as np
import pytest
from recsys.experiment.evaluate import Candidate, Material, document_of, judge
from recsys.experiment.measure import Judge, judge_genres
from recsys.experiment.validation import SplitValidation

from recsys.data.splits import LabelSplit, genre_partition
from recsys.errors import DataError
from recsys.queries.query import AudiencePrediction, Query, RatingPrediction
from recsys.testing.served import served_world

CASES = [("ro", "valid"), ("ro", "test"), ("cold-items", "valid"), ("cold-items", "test")]


class Fixed:
    """Scores drawn once for every user and movie; remembers the histories it was asked with."""

    def __init__(self, shape):
        self.scores = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        self.asked = []

    def score(self, query):
        self.asked.append(query)
        return self.scores[query.users]

    def predict(self, query, rows, items):
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
    result = Judge(split, part, rules).ranking(scorer)
    for k in rules.ks:
        require_equal(result, by_hand(split, part, scorer.scores, candidates, k), k)


@pytest.mark.parametrize("part", ["valid", "test"])
def test_overall_ranks_all_movies_where_cold_ones_are_judged(split_of, rules, part):
    split, scorer = split_of("cold-items"), Fixed(split_of("cold-items").train.shape)
    result = Judge(split, part, rules).overall(scorer)
    everything = np.arange(split.train.shape[1])
    for k in rules.ks:
        require_equal(result, by_hand(split, part, scorer.scores, everything, k), k)
    assert result.means() != Judge(split, part, rules).ranking(scorer).means()


def test_there_is_no_overall_where_no_movie_is_cold(split_of, rules):
    split = split_of("ro")
    for part in ("valid", "test"):
        assert Judge(split, part, rules).overall(Fixed(split.train.shape)) is None


def test_the_cold_movies_of_a_part_are_its_own(split_of, rules):
    split = split_of("cold-items")
    valid, test = (set(Judge(split, part, rules).cold.tolist()) for part in ("valid", "test"))
    assert valid
    assert test
    assert not valid & test
    assert not (valid | test) & set(split.train.item.tolist())


@pytest.mark.parametrize(("name", "part"), CASES)
def test_rating_is_judged_on_every_rating_of_the_part(split_of, rules, name, part):
    split, model = split_of(name), Fixed(split_of(name).train.shape)
    truth = getattr(split, part)
    expected = 2 + model.scores[truth.user, truth.item] / 4
    error = np.clip(expected, 1, 5).astype(float) - truth.rating
    found = Judge(split, part, rules).rating(model)
    assert found.n == len(truth)
    assert found.rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-9)
    assert found.mae == pytest.approx(np.mean(np.abs(error)), abs=1e-9)


@pytest.mark.parametrize(("name", "part"), CASES)
def test_whatever_is_judged_a_user_is_their_training_ratings(split_of, rules, name, part):
    split, model = split_of(name), Fixed(split_of(name).train.shape)
    judge = Judge(split, part, rules)
    judge.ranking(model)
    judge.rating(model)
    train = split.train.matrix().toarray()
    for query in model.asked:
        np.testing.assert_array_equal(query.histories.toarray(), train[query.users])
    assert max(len(query) for query in model.asked[:-1]) <= rules.block


def test_a_split_without_test_has_nothing_to_judge(split_of, rules):
    split = split_of("all")
    assert not len(split.test)
    with pytest.raises(DataError, match="split all keeps no test part") as caught:
        Judge(split, "test", rules)
    assert "another --split" in caught.value.hint
    assert Judge(split, "valid", rules).rating(Fixed(split.train.shape)).n == len(split.valid)


def test_genres_are_judged_on_the_movies_of_the_part(catalogue):
    labels = genre_partition(catalogue, 0)
    perfect = catalogue.genres.astype(np.float32)
    for part, mask in (("valid", labels.valid), ("test", labels.test)):
        probabilities = np.where(mask[:, None], perfect, 1 - perfect).astype(np.float32)
        found = judge_genres(probabilities, catalogue, labels, part)
        assert found.n_items == mask.sum()
        assert found.macro_f1 == found.micro_f1 == 1


def test_without_labels_there_is_no_judgement_of_genres(catalogue):
    nothing = np.zeros(len(catalogue), dtype=bool)
    labels = LabelSplit(~nothing, nothing, nothing)
    for part in ("valid", "test"):
        assert judge_genres(catalogue.genres.astype(np.float32), catalogue, labels, part) is None


def test_validation_is_the_judgement_of_valid():
    contents = served_world().contents
    histories, model = contents.histories, contents.model
    from recsys.data.splits import make_split

    split = make_split(histories, contents.catalogue, "random-90-10", 0)
    labels = genre_partition(contents.catalogue, 0)
    config = contents.config.evaluation
    found = SplitValidation(split, contents.catalogue, labels, config)(model)
    judge = Judge(split, "valid", config)
    genre = judge_genres(model.genre_probabilities(), contents.catalogue, labels, "valid")
    expected = judge.ranking(model).means() | judge.rating(model).summary() | genre.summary()
    assert found == expected
    assert {"ndcg@10", "rmse", "macro_f1"} <= found.keys()


def test_the_query_holds_every_user_in_order(split_of, rules):
    split = split_of("ro")
    query = Judge(split, "test", rules).query
    assert isinstance(query, Query)
    assert query.users.tolist() == list(range(split.train.shape[0]))


def audience_of(split, seed=2):
    random = np.random.default_rng(seed)
    n = split.train.shape[1]
    mean, std = random.uniform(1, 5, n), np.full(n, 0.5)
    return AudiencePrediction(mean.astype(np.float32), std.astype(np.float32), 0.5)


@pytest.mark.parametrize(("name", "part"), CASES)
def test_audience_is_judged_on_cold_movies_or_on_all_of_the_part(split_of, rules, name, part):
    split = split_of(name)
    truth, predicted = getattr(split, part), audience_of(split)
    found = Judge(split, part, rules).audience(predicted)
    expected = np.unique(truth.item)
    assert found.items.tolist() == expected.tolist()
    means = [truth.rating[truth.item == movie].mean(dtype=float) for movie in expected]
    np.testing.assert_allclose(found.observed, means, rtol=1e-6)
    trained_on = np.isin(expected, split.train.item)
    assert not trained_on.any() if name == "cold-items" else trained_on.all()


def test_a_row_and_its_document_carry_the_audience(split_of, rules, catalogue):
    split = split_of("cold-items")
    material = Material(catalogue, split, genre_partition(catalogue, 0), rules)
    row = judge(Candidate("mine", audience=audience_of(split)), material)
    assert row.audience == Judge(split, "test", rules).audience(audience_of(split)).summary()
    document = document_of(row, split)
    assert document.audience == row.audience
    assert list(document.model_dump())[-1] == "audience"


def test_without_a_predicted_audience_nothing_is_said_of_it(split_of, rules, catalogue):
    split = split_of("ro")
    row = judge(Candidate("mute"), Material(catalogue, split, genre_partition(catalogue, 0), rules))
    assert row.audience is None
    assert "audience" not in document_of(row, split).model_dump(mode="json")
