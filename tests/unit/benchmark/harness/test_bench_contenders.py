"""Everybody who takes part, and the models that are ours."""

from __future__ import annotations

import numpy as np
import pytest
from recsys.benchmark.contender import DOCUMENTED, Oracle
from recsys.benchmark.contenders import CONTENDERS, QUICK
from recsys.benchmark.contenders.classics import CLASSICS, MODALITIES
from recsys.benchmark.contenders.oracles import ORACLES, RandomScores, TruePopularity
from recsys.benchmark.contenders.ours import OURS, experiment, validating
from recsys.benchmark.document import Trial
from recsys.benchmark.grounds import configuration
from recsys.benchmark.side_inputs import told_of_people
from recsys.benchmark.standing import file_name

from recsys.benchmark.protocols import PROTOCOLS, Cell
from recsys.queries.query import Query

NAMES = [contender.name for contender in CONTENDERS]


def test_names_are_names_of_files_and_no_two_are_one():
    files = [file_name(name) for name in NAMES]
    assert len(set(files)) == len(files)
    assert all(files)


def test_every_contender_has_a_protocol_and_every_protocol_contenders():
    for contender in CONTENDERS:
        assert any(protocol.tasks_of(contender) for protocol in PROTOCOLS.values()), contender.name
    for protocol in PROTOCOLS.values():
        assert sum(bool(protocol.tasks_of(c)) for c in CONTENDERS) > 5


def test_spaces_can_be_written_and_say_where_they_are_from():
    for contender in CONTENDERS:
        assert contender.space, contender.name
        for point in contender.space[:50]:
            Trial(options=dict(point), score=None, seconds=1)
        assert len({tuple(p.items()) for p in contender.space}) == len(contender.space)
        assert contender.source or len(contender.space) == 1, contender.name


def test_who_did_not_begin_as_documented_says_so():
    pytest.importorskip("implicit", reason="the bench extra")
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    by_name = {contender.name: contender for contender in CONTENDERS}
    libraries = {
        "implicit-als": AlternatingLeastSquares,
        "implicit-bpr": BayesianPersonalizedRanking,
    }
    for name, model in libraries.items():
        contender, defaults = by_name[name], model()
        begins = all(getattr(defaults, k) == v for k, v in contender.space[0].items())
        assert begins == (contender.first_point == DOCUMENTED), name
    ours = [c for c in CONTENDERS if "a construction of ours" in c.about or c.family == "ours"]
    assert len(ours) >= 5
    assert all(c.first_point != DOCUMENTED for c in ours)


def test_everybody_is_told_apart_by_what_they_are_told():
    told = [contender.about for contender in CONTENDERS]
    assert all(told)
    assert len(set(told)) == len(told)
    dated = {c.name for c in CONTENDERS if "day of the rating asked for" in c.about}
    assert dated == {"myfm-regression-date", "myfm-ordinal-date"}


def test_the_quick_ones_are_there_and_need_nothing_optional():
    quick = [contender for contender in CONTENDERS if contender.name in QUICK]
    assert len(quick) == len(QUICK)
    assert {contender.requires for contender in quick} <= {None, "torch"}


def test_only_oracles_see_the_test():
    for contender in CONTENDERS:
        if contender.sees_test:
            assert contender.family == "oracle"
            assert isinstance(contender.make(contender.space[0], 0), Oracle)


@pytest.mark.parametrize("contender", CLASSICS, ids=lambda contender: contender.name)
def test_every_point_of_a_classic_makes_another_model(contender):
    made = [contender.make(point, 1).config for point in contender.space]
    assert len({repr(config) for config in made}) == len(made)
    assert contender.make(contender.space[0], 1).name == contender.name


def test_one_row_a_modality_is_told_which():
    alone = [contender for contender in CLASSICS if contender.modality]
    assert [contender.modality for contender in alone] == list(MODALITIES)
    assert [contender.make({}, 1).config.modality for contender in alone] == list(MODALITIES)
    assert set(configuration(PROTOCOLS["ml-cold"]).sources.features) < set(MODALITIES)


def test_the_points_of_the_joint_model_are_configurations():
    (joint,) = OURS
    found = [experiment(point, 5) for point in joint.space]
    assert len({config.fingerprint for config in found}) == len(found) == 8
    for config in found:
        assert (config.seed, config.training.threads, config.training.device) == (5, 1, "cpu")
    assert {config.fusion.kind for config in found} == {"sum", "concat"}
    assert {config.user.liked_min_rating for config in found} == {1.0, 4.0}
    assert "ranking_dim" in joint.settings()
    assert joint.stops_early


@pytest.mark.parametrize("fold", ["ro", "cold-items"])
def test_the_joint_model_stops_by_what_it_is_judged_on(material, fold):
    pytest.importorskip("torch")
    ground = material.ground(Cell(fold, 1))
    split = ground.split
    validation = validating(experiment({}, 1))(split.train, split.valid, ground.catalogue)
    judge = validation.judge
    np.testing.assert_array_equal(judge.cold, split.cold_valid_items)
    assert len(judge.cold) == 0 or fold == "cold-items"
    assert not len(judge.split.test)


def test_the_joint_model_is_fitted_from_options(material):
    pytest.importorskip("torch")
    ground = material.ground(Cell("ro", 1))
    small = {"training.epochs": 1, "model.ranking_dim": 4, "fusion.dim": 4}
    model = OURS[0].make(small, 1)
    split = ground.split
    model.fit(split.train, split.valid, ground.catalogue)
    assert model.config.model.ranking_dim == 4
    assert model.parameters > 0
    assert model.score(Query.known(split.train)).shape == split.train.shape


HERE = [c for c in CONTENDERS if c.modality is None and c.family not in ("ours", "recbole")]


@pytest.mark.parametrize("contender", HERE, ids=lambda contender: contender.name)
def test_everybody_tells_how_much_was_learnt(material, contender):
    if contender.requires:
        pytest.importorskip(contender.requires)
    ground = material.ground(Cell("ro", 1))
    model = told_of_people(contender.make(contender.space[0], 1), material.dataset.origin)
    model.fit(ground.split.train, ground.split.valid, ground.catalogue)
    assert isinstance(model.parameters, int)
    assert (model.parameters > 0) == (contender.name != "random")


def test_numbers_learnt_are_counted(material):
    train = material.ground(Cell("ro", 1)).split.train
    (_, items), warm = train.shape, int((train.item_counts() > 0).sum())

    def count(name, **options):
        (found,) = (c for c in CONTENDERS if c.name == name)
        return found.make(options, 1).fit(train, train, material.catalogue).parameters

    assert count("popularity") == items
    assert count("bias") == 1 + items
    assert count("ease") == warm * (warm - 1)
    assert count("item-knn", k=3) < count("item-knn", k=6) <= 2 * items * 6 + 1 + items
    assert count("content-knn-plain", k=3) <= items * 3


def test_random_scores_belong_to_a_user_and_a_history(material):
    split = material.ground(Cell("ro", 1)).split
    model = RandomScores(3).fit(split.train, split.valid, material.catalogue)
    query = Query.known(split.train)
    scores = model.score(query)
    np.testing.assert_array_equal(model.score(query.slice(4, 9)), scores[4:9])
    other = RandomScores(4).fit(split.train, split.valid, material.catalogue)
    assert not np.array_equal(other.score(query), scores)
    assert len(np.unique(scores)) > scores.size / 2
    assert len({scores[row].tobytes() for row in range(len(scores))}) == len(scores)


def test_the_oracle_of_popularity_counts_everything(material):
    ground = material.ground(Cell("cold-items", 1))
    split = ground.split
    model = TruePopularity().fit(split.train, split.valid, ground.catalogue)
    cold = split.cold_items
    assert not model.score(Query.known(split.train))[:, cold].any()
    model.see(split.test)
    expected = material.dataset.interactions.item_counts()
    np.testing.assert_array_equal(model.score(Query.known(split.train))[0], expected)
    assert [contender.sees_test for contender in ORACLES] == [False, True]
