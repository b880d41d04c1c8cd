"""Search for the configuration that validates best.

A trial is the experiment with some of its values replaced: trained on train and evaluated on valid,
by what ``training.monitor`` says of the weights that were kept. The test part is never looked at.

What the sampler draws for a trial depends on the seed and on the trials before it alone, so that a
study that was killed and resumed goes the way of one that was not, wherever training does; a bound
on seconds may end it elsewhere.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import optuna
from optuna.trial import Trial, TrialState

from recsys.benchmark.study import importance, open_study, put_back, records, require_same, suggest
from recsys.benchmark.tuning import Budget
from recsys.benchmark.tuning_report import (
    Seeds,
    Spent,
    TrialRecord,
    TuningDocument,
    ranked,
)
from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import with_values
from recsys.config.search import SearchSpace
from recsys.data.split import Split
from recsys.errors import ConfigError, DataError, RecsysError
from recsys.evaluation.environment import hardware, versions
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.log import RunOptions
from recsys.recommenders.joint.training.loop import monitored
from recsys.seeding import seed_for
from recsys.workflow import extract_features, reference

_WARM_UP: Final = 5
"""Trials are pruned once so many are complete, and after that share of the planned epochs."""


@dataclass(frozen=True)
class _End:
    """How a trial ended."""

    state: TrialState
    score: float | None = None
    reason: str = ""
    error: RecsysError | None = None


class TuningStudy:
    """A search in a folder, begun or resumed.

    Args:
        experiment: gives every value that is not searched.
        space: what is searched.
        folder: receives the journal, ``best.yaml`` and ``tuning.json``.
        resume: go on with the study in the folder, if there is one.

    Raises:
        ConfigError: the space does not fit the experiment; the folder holds a study and ``resume``
            is not given, or one that was begun with another configuration or space.
        DataError: the journal in the folder cannot be read.
    """

    def __init__(
        self, experiment: ExperimentConfig, space: SearchSpace, folder: Path, resume: bool = False
    ) -> None:
        space.require_fits(experiment)
        self.experiment, self.space, self.folder = experiment, space, folder
        marks = {"configuration": experiment.fingerprint, "search space": space.fingerprint}
        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=_WARM_UP, n_warmup_steps=experiment.training.epochs // _WARM_UP
        )
        self.study = open_study(folder, marks, resume=resume, pruner=pruner)

    @property
    def trials(self) -> list[TrialRecord]:
        """The trials that have ended, in this run and before."""
        return records(self.study, self.space)

    def run(
        self,
        split: Split,
        budget: Budget,
        on_trial: Callable[[TuningDocument], None] = lambda _: None,
    ) -> TuningDocument:
        """Try configurations until the budget is spent; the folder is up to date after each.

        Args:
            split: of the experiment; features are encoded again only for trials
                that change how.
            budget: of this run and those before it together.
            on_trial: given the document whenever a trial has ended, the last one in it.

        Raises:
            ConfigError: the study was begun on another split; or, before any trial is complete,
                one cannot be trained as it is configured.
            DataError: before any trial is complete, the data of one cannot be used.
            RecsysError: no trial is complete in the end.
        """
        require_same(self.study, {"split": split.fingerprint})
        while Spent.on(self.trials).within(budget):
            end = self._try(split)
            document = self._save(split, budget)
            on_trial(document)
            if isinstance(end.error, ConfigError | DataError) and document.best is None:
                raise end.error
        document = self._save(split, budget)
        if document.best is None:
            raise RecsysError(
                f"none of {document.spent.trials} trials is complete; the last is "
                f"{_outcome(document.trials[-1])}",
                hint="narrow the search space, begin with values that can be trained, or give more "
                "trials or seconds",
            )
        return document

    def _try(self, split: Split) -> _End:
        trial, started = self._ask(), time.perf_counter()
        try:
            end = self._ended(trial, split)
        except KeyboardInterrupt:
            trial.set_user_attr("seconds", time.perf_counter() - started)
            put_back(self.study, trial, killed=False)
            raise
        trial.set_user_attr("seconds", time.perf_counter() - started)
        if end.reason:
            trial.set_user_attr("reason", end.reason)
        self.study.tell(trial, end.score, end.state)
        return end

    def _ask(self) -> Trial:
        """The next trial; its random numbers are its own, wherever the study was resumed."""
        name = f"tune/{Spent.on(self.trials).trials}"
        seed = seed_for(self.experiment.seed, name) % 2**32
        self.study.sampler = optuna.samplers.TPESampler(seed=seed)
        return self.study.ask()

    def _ended(self, trial: Trial, split: Split) -> _End:
        try:
            values = suggest(trial, self.space)
            config = with_values(self.experiment, values, f"trial {trial.number}")
            made = split_for(config, self.experiment, split)
            return _End(TrialState.COMPLETE, self._score(trial, config, made))
        except optuna.TrialPruned as pruned:
            return _End(TrialState.PRUNED, reason=str(pruned))
        except RecsysError as error:
            return _End(TrialState.FAIL, reason=error.what, error=error)

    def _score(self, trial: Trial, config: ExperimentConfig, split: Split) -> float:
        def on_validation(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned(f"below the median at epoch {epoch}")

        options = RunOptions(on_validation=on_validation)
        log = JointRecommender(config, options).fit(split).log
        metrics = {name: float(v) for name, v in log.best_metrics.items() if math.isfinite(v)}
        trial.set_user_attr("metrics", metrics)
        trial.set_user_attr("best_epoch", log.best_epoch)
        return monitored(log.best_metrics, self.experiment.training.monitor)

    def _save(self, split: Split, budget: Budget) -> TuningDocument:
        """Write what is known so far."""
        experiment, trials = self.experiment, self.trials
        best = next(iter(ranked(trials)), None)
        document = TuningDocument(
            created=datetime.now(UTC).date(),
            versions=versions() | {"optuna": optuna.__version__},
            hardware=hardware(),
            dataset=split.spec.dataset,
            split=reference(split),
            config=experiment.fingerprint,
            monitor=experiment.training.monitor,
            space=self.space,
            space_fingerprint=self.space.fingerprint,
            seeds=Seeds(training=experiment.seed, split=experiment.split.seed),
            budget=budget,
            spent=Spent.on(trials),
            best=None if best is None else best.number,
            importance=importance(self.study),
            trials=trials,
        )
        document.write(self.folder, experiment)
        return document


def split_for(config: ExperimentConfig, made: ExperimentConfig, split: Split) -> Split:
    """The split of a trial: that of the experiment, unless its movies are encoded otherwise."""
    if (config.features, config.sources) == (made.features, made.sources):
        return split
    bare = split.dataset.with_catalogue(replace(split.catalogue, modalities={}))
    return split.with_catalogue(extract_features(config, bare).catalogue)


def _outcome(trial: TrialRecord) -> str:
    return trial.state + (f": {trial.reason}" if trial.reason else "")
