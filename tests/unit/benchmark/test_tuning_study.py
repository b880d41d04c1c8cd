"""The search: what it tries, what it remembers, and what it never looks at."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace

import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("sklearn", reason="encoding needs scikit-learn")
pytest.importorskip("optuna", reason="the search needs optuna")

import optuna
from support.joint import toy_experiment

from recsys.benchmark import tuning_study as module
from recsys.benchmark.study import JOURNAL, MAX_KILLED
from recsys.benchmark.tuning_report import BEST, DOCUMENT, TuningDocument
from recsys.benchmark.tuning_study import Budget, TuningStudy
from recsys.config.experiment import DataConfig, SplitConfig
from recsys.config.loading import load_experiment
from recsys.config.search import SearchSpace
from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError, RecsysError
from recsys.evaluation.evaluate import Evaluator
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.workflow import extract_features, load_split, read_dataset

SPACE = SearchSpace.model_validate(
    {
        "training.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        "training.batch_size": {"low": 4, "high": 64, "int": True},
        "user": {"choices": [{"rating_slope": 0.0}, {"rating_slope": 0.5}]},
    }
)


@pytest.fixture(scope="module")
def experiment(toy_features):
    return toy_experiment(epochs=10, evaluate_every=1).model_copy(
        update={
            "features": toy_features,
            "data": DataConfig(name="toy"),
            "split": SplitConfig(name="ro", seed=3),
        }
    )


@pytest.fixture(scope="module")
def split(experiment, data_dir):
    return load_split(experiment, data_dir)


def quality(config) -> float:
    """The nearer the learning rate to 0.02, the better."""
    return -abs(config.training.learning_rate - 0.02) - config.training.batch_size / 1e4


class Trainer:
    """Stands in for training: a trial's score is a function of its configuration."""

    def __init__(self):
        self.seen = []
        self.before = lambda _: None
        self.quality = quality

    def __call__(self, config, options):
        return SimpleNamespace(fit=partial(self.fit, config, options))

    def fit(self, config, options, split):
        self.before(len(self.seen))
        self.seen.append(SimpleNamespace(config=config, split=split))
        score = self.quality(config)
        for epoch in range(1, 11):
            options.on_validation(epoch, score)
        metrics = {"ndcg@10": score, "rmse": 0.0, "auc": float("nan")}
        return SimpleNamespace(log=SimpleNamespace(best_metrics=metrics, best_epoch=4))


@pytest.fixture
def trainer(monkeypatch):
    made = Trainer()
    monkeypatch.setattr(module, "JointRecommender", made)
    return made


def search(experiment, split, folder, trials=4, resume=False, space=SPACE, **budget):
    tuning = TuningStudy(experiment, space, folder, resume)
    return tuning.run(split, Budget(trials=trials, **({"seconds": None} | budget)))


def values(document):
    return [(trial.values, trial.score) for trial in document.trials if trial.score is not None]


def stop(*_):
    raise KeyboardInterrupt


def test_the_best_of_all_trials_is_found(experiment, split, trainer, tmp_path):
    document = search(experiment, split, tmp_path, trials=6)
    scores = [quality(seen.config) for seen in trainer.seen]
    complete = [trial for trial in document.trials if trial.state == "complete"]
    assert [trial.score for trial in complete] == [scores[trial.number] for trial in complete]
    assert document.ranked()[0].score == max(trial.score for trial in complete)
    assert document.best == document.ranked()[0].number
    assert document.trials[0].metrics == {"ndcg@10": scores[0], "rmse": 0.0}
    assert document.trials[0].best_epoch == 4


def test_values_lie_in_the_space_and_reach_the_training(experiment, split, trainer, tmp_path):
    document = search(experiment, split, tmp_path)
    for trial, seen in zip(document.trials, trainer.seen, strict=True):
        loop, user = seen.config.training, seen.config.user
        assert list(trial.values) == list(SPACE.root)
        assert 0.001 <= trial.values["training.learning_rate"] == loop.learning_rate <= 0.1
        assert 4 <= trial.values["training.batch_size"] == loop.batch_size <= 64
        assert trial.values["user"] == {"rating_slope": user.rating_slope}
        assert loop.epochs == experiment.training.epochs


def test_the_best_configuration_is_read_as_any_other(experiment, split, trainer, tmp_path):
    document = search(experiment, split, tmp_path)
    found = load_experiment(tmp_path / BEST)
    assert found == trainer.seen[document.best].config
    assert f"Trial {document.best}" in (tmp_path / BEST).read_text().splitlines()[0]


def test_the_document_says_all_that_is_needed(experiment, split, trainer, tmp_path):
    document = search(experiment, split, tmp_path, trials=3, seconds=900.0)
    written = json.loads((tmp_path / DOCUMENT).read_text())
    assert TuningDocument.model_validate(written) == document
    assert document.split.fingerprint == split.fingerprint
    assert document.dataset == split.spec.dataset
    assert document.config == experiment.fingerprint
    assert document.space == SPACE
    assert written["space"]["training.batch_size"]["int"] is True
    assert document.monitor == experiment.training.monitor
    assert (document.seeds.training, document.seeds.split) == (experiment.seed, 3)
    assert (document.budget.trials, document.budget.seconds) == (3, 900)
    assert document.spent.trials == 3
    assert document.spent.seconds == sum(trial.seconds for trial in document.trials) > 0
    assert document.versions["optuna"] == optuna.__version__
    assert document.hardware.cores > 0


def test_a_search_repeats_itself(experiment, split, trainer, tmp_path):
    one = search(experiment, split, tmp_path / "one", trials=14)
    other = search(experiment, split, tmp_path / "other", trials=14)
    assert values(one) == values(other)
    assert len({str(trial.values) for trial in one.trials}) > 10


def test_what_matters_is_told_once_enough_trials_are_complete(experiment, split, trainer, tmp_path):
    found = search(experiment, split, tmp_path, trials=24)
    assert len(found.ranked()) >= 10
    assert list(found.importance) == sorted(SPACE.root, key=lambda key: -found.importance[key])
    assert next(iter(found.importance)) == "training.learning_rate"
    assert sum(found.importance.values()) == pytest.approx(1)


def test_where_all_are_equal_nothing_matters(experiment, split, trainer, tmp_path):
    trainer.quality = lambda _: 1.0
    found = search(experiment, split, tmp_path, trials=10)
    assert len(found.ranked()) == 10
    assert (found.importance, found.best) == ({}, 0)


def test_another_seed_tries_other_values(experiment, split, trainer, tmp_path):
    seeded = experiment.model_copy(update={"seed": 9})
    one = search(experiment, split, tmp_path / "one", trials=1)
    other = search(seeded, split, tmp_path / "other", trials=1)
    assert values(one) != values(other)


def test_features_are_prepared_once(experiment, split, trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "extract_features", stop)
    search(experiment, split, tmp_path)
    assert all(seen.split is split for seen in trainer.seen)


def test_features_that_are_searched_are_encoded_anew(
    experiment, split, trainer, tmp_path, data_dir
):
    space = SearchSpace.model_validate({"features.metadata.year_weight": {"low": 0.1, "high": 2}})
    search(experiment, split, tmp_path, trials=2, space=space)
    for seen in trainer.seen:
        bare = read_dataset(experiment, data_dir)
        again = extract_features(seen.config, bare).catalogue.modalities["metadata"]
        made = seen.split.catalogue.modalities["metadata"]
        assert made.fingerprint == again.fingerprint
        assert made.fingerprint != split.catalogue.modalities["metadata"].fingerprint
        assert seen.split.fingerprint == split.fingerprint


def test_a_modality_that_a_trial_leaves_out_is_not_there(experiment, split, trainer, tmp_path):
    space = SearchSpace.model_validate({"features.metadata": {"choices": [None]}})
    search(experiment, split, tmp_path, trials=1, space=space)
    assert not trainer.seen[0].split.catalogue.modalities


def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(
    experiment, split, trainer, tmp_path
):
    def fail(number):
        if number == 1:
            trainer.seen.append(None)
            raise RecsysError("the loss is no longer finite", hint="lower it")

    trainer.before = fail
    document = search(experiment, split, tmp_path, trials=4)
    assert [trial.state for trial in document.trials] == ["complete", "failed"] + ["complete"] * 2
    failed = document.trials[1]
    assert (failed.reason, failed.score) == ("the loss is no longer finite", None)
    assert failed.values
    assert document.spent.trials == 4


def test_a_bug_is_not_taken_for_a_bad_configuration(experiment, split, trainer, tmp_path):
    trainer.before = lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        search(experiment, split, tmp_path)


def test_no_complete_trial_is_an_error_with_the_reason(experiment, split, trainer, tmp_path):
    def fail(number):
        raise RecsysError("the loss is no longer finite")

    trainer.before = fail
    with pytest.raises(RecsysError, match=r"none of 2 trials is complete.*no longer finite"):
        search(experiment, split, tmp_path, trials=2)
    assert json.loads((tmp_path / DOCUMENT).read_text())["best"] is None
    assert not (tmp_path / BEST).exists()


@pytest.mark.parametrize("kind", [ConfigError, DataError])
def test_what_no_trial_can_be_trained_on_ends_the_search(
    experiment, split, trainer, tmp_path, kind
):
    calls = []

    def fail(number):
        calls.append(number)
        raise kind("monitor names ndcg@99")

    trainer.before = fail
    with pytest.raises(kind, match="ndcg@99"):
        search(experiment, split, tmp_path, trials=5)
    assert len(calls) == 1


def test_a_bad_trial_is_ended_early(experiment, split, tmp_path, monkeypatch):
    reports = []

    class Steep(Trainer):
        def fit(self, config, options, split):
            number = len(self.seen)
            reports.append([])

            def counted(epoch, score):
                reports[-1].append(epoch)
                options.on_validation(epoch, score - (number == 6) * 100)

            return super().fit(config, SimpleNamespace(on_validation=counted), split)

    monkeypatch.setattr(module, "JointRecommender", Steep())
    # One range alone, and no bad trial before: nothing else is below the median at the first look.
    document = search(experiment, split, tmp_path, trials=8)
    pruned = document.trials[6]
    assert (pruned.state, pruned.score) == ("pruned", None)
    assert pruned.reason == "below the median at epoch 2"
    assert reports[6] == [1, 2]
    assert all(len(seen) == 10 for seen in reports[:5])


def test_a_study_that_is_there_is_not_begun_again(experiment, split, trainer, tmp_path):
    search(experiment, split, tmp_path, trials=1)
    with (tmp_path / JOURNAL).open("ab") as stream:
        stream.write(b'{"half')  # as if another process were writing
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(ConfigError, match="holds a study already") as caught:
        TuningStudy(experiment, SPACE, tmp_path)
    assert "--resume" in caught.value.hint
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_to_resume_where_nothing_is_begins(experiment, split, trainer, tmp_path):
    assert search(experiment, split, tmp_path / "new", trials=2, resume=True).spent.trials == 2


@pytest.mark.parametrize("resume", [True, False])
def test_a_study_without_a_trial_binds_nobody(experiment, split, trainer, tmp_path, resume):
    TuningStudy(experiment, SPACE, tmp_path)  # and then, say, the data was not found
    other = experiment.model_copy(update={"seed": 9})
    found = search(other, split, tmp_path, trials=1, resume=resume)
    assert found.config == other.fingerprint


def test_the_budget_is_of_all_runs_together(experiment, split, trainer, tmp_path):
    search(experiment, split, tmp_path, trials=3)
    assert search(experiment, split, tmp_path, trials=5, resume=True).spent.trials == 5
    assert len(trainer.seen) == 5
    assert search(experiment, split, tmp_path, trials=5, resume=True).spent.trials == 5
    assert len(trainer.seen) == 5


def test_no_trial_starts_after_the_seconds_are_used(experiment, split, trainer, tmp_path):
    document = search(experiment, split, tmp_path, trials=None, seconds=1e-9)
    assert document.spent.trials == 1


def test_resumed_it_goes_the_way_of_one_that_was_not_stopped(experiment, split, trainer, tmp_path):
    whole = search(experiment, split, tmp_path / "whole", trials=14)
    for trials in (2, 11, 14):  # before and after the sampler has begun to learn
        halves = search(experiment, split, tmp_path / "halves", trials=trials, resume=True)
    assert values(halves) == values(whole)


def test_an_interrupted_trial_is_tried_again(experiment, split, trainer, tmp_path):
    whole = search(experiment, split, tmp_path / "whole", trials=4)
    trainer.seen.clear()
    trainer.before = lambda number: stop() if number == 2 else None
    with pytest.raises(KeyboardInterrupt):
        search(experiment, split, tmp_path / "cut", trials=4)
    assert len(TuningDocument.model_validate_json(read(tmp_path / "cut")).trials) == 2
    trainer.before = lambda _: None
    found = search(experiment, split, tmp_path / "cut", trials=4, resume=True)
    states = [trial.state for trial in found.trials]
    assert states == ["complete", "complete", "interrupted", "complete", "complete"]
    assert found.trials[3].values == found.trials[2].values
    assert values(found) == values(whole)
    assert found.spent.trials == 4


def read(folder):
    return (folder / DOCUMENT).read_bytes()


class Killed(BaseException):
    """The process ends: nothing is tidied up."""


def kill(experiment, split, trainer, folder, after):
    def die(number):
        if number == after:
            raise Killed

    trainer.seen.clear()
    trainer.before = die
    with pytest.raises(Killed):
        search(experiment, split, folder, trials=4, resume=True)
    trainer.before = lambda _: None


def test_a_killed_trial_is_failed_and_tried_again(experiment, split, trainer, tmp_path):
    kill(experiment, split, trainer, tmp_path, after=1)
    found = search(experiment, split, tmp_path, trials=4, resume=True)
    assert [trial.state for trial in found.trials] == ["complete", "interrupted"] + ["complete"] * 3
    assert found.trials[2].values == found.trials[1].values
    assert found.trials[1].seconds is None


def test_a_trial_that_kills_every_time_is_given_up(experiment, split, trainer, tmp_path):
    for _ in range(MAX_KILLED):
        kill(experiment, split, trainer, tmp_path, after=0)
    found = search(experiment, split, tmp_path, trials=3, resume=True)
    states = [trial.state for trial in found.trials]
    assert states == ["interrupted", "interrupted", "failed", "complete", "complete"]
    assert "3 times" in found.trials[2].reason
    assert found.spent.trials == 3


def test_a_line_that_was_cut_off_is_forgotten(experiment, split, trainer, tmp_path):
    search(experiment, split, tmp_path, trials=2)
    journal = tmp_path / JOURNAL
    whole = journal.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for cut in (last + 1, (last + len(whole)) // 2, len(whole) - 1):
        journal.write_bytes(whole[:cut])
        found = search(experiment, split, tmp_path, trials=3, resume=True)
        assert found.spent.trials == 3
        assert len(TuningStudy(experiment, SPACE, tmp_path, resume=True).trials) == len(
            found.trials
        )


@pytest.mark.parametrize("content", [b"nonsense\nmore\n", b"{}\n", b"[1]\n", b"\xff\xfe\n\n"])
def test_a_journal_of_something_else_is_refused(experiment, tmp_path, content):
    (tmp_path / JOURNAL).write_bytes(content)
    with pytest.raises(DataError, match="is not the journal of a study"):
        TuningStudy(experiment, SPACE, tmp_path, resume=True)


def test_a_study_is_of_one_configuration_and_one_space(experiment, split, trainer, tmp_path):
    search(experiment, split, tmp_path, trials=1)
    other = experiment.model_copy(update={"seed": 9})
    with pytest.raises(ConfigError, match="another configuration"):
        TuningStudy(other, SPACE, tmp_path, resume=True)
    space = SearchSpace.model_validate({"fusion.kind": {"choices": ["sum"]}})
    with pytest.raises(ConfigError, match="another search space"):
        TuningStudy(experiment, space, tmp_path, resume=True)
    renamed = experiment.model_copy(update={"name": "other"})
    assert len(TuningStudy(renamed, SPACE, tmp_path, resume=True).trials) == 1


def test_a_study_is_of_one_split(experiment, split, trainer, tmp_path, other_data_dir):
    search(experiment, split, tmp_path, trials=1)
    elsewhere = load_split(experiment, other_data_dir)
    with pytest.raises(ConfigError, match="another split"):
        search(experiment, elsewhere, tmp_path, trials=2, resume=True)
    assert len(trainer.seen) == 1


def test_a_space_that_does_not_fit_leaves_no_trace(experiment, tmp_path):
    space = SearchSpace.model_validate({"training.epoch": {"low": 1, "high": 2, "int": True}})
    with pytest.raises(ConfigError, match="did you mean 'epochs'"):
        TuningStudy(experiment, space, tmp_path / "new")
    assert not (tmp_path / "new").exists()


class Sealed(Split):
    """A split that knows its fingerprint and will not show its test part."""

    def __getattribute__(self, name):
        if name in ("test", "parts", "cold_items") and "seal" in object.__getattribute__(
            self, "__dict__"
        ):
            raise AssertionError(f"{name} was looked at")
        return super().__getattribute__(name)


@pytest.fixture
def sealed(split):
    parts = (split.train, split.valid, split.test)
    made = Sealed(split.dataset, *parts, split.spec, split.cold_items, label_seed=split.label_seed)
    assert made.fingerprint == split.fingerprint
    made.__dict__["seal"] = True
    return made


def test_the_test_part_is_never_looked_at(experiment, sealed, tmp_path):
    found = search(experiment, sealed, tmp_path, trials=2)
    assert [trial.state for trial in found.trials] == ["complete"] * 2
    with pytest.raises(AssertionError, match="was looked at"):  # the seal holds
        Evaluator.on_test(sealed)


def test_a_trial_is_what_training_its_configuration_is(experiment, split, tmp_path):
    found = search(experiment, split, tmp_path, trials=2)
    config = load_experiment(tmp_path / BEST)
    log = JointRecommender(config).fit(split).log
    best = found.ranked()[0]
    assert best.score == log.best_metrics["ndcg@10"] - log.best_metrics["rmse"]
    assert best.metrics["rmse"] == log.best_metrics["rmse"]
    assert best.best_epoch == log.best_epoch
