"""What a search for the best configuration found, as a document."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, FiniteFloat, JsonValue

from recsys.benchmark.tuning import Budget
from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import dump_experiment, with_values
from recsys.config.search import SearchSpace
from recsys.data.files import atomic_write_text
from recsys.documents import Document
from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import SplitReference

BEST: Final = "best.yaml"
DOCUMENT: Final = "tuning.json"

State = Literal["complete", "pruned", "failed", "interrupted"]


class TrialRecord(Document):
    """One configuration that was tried.

    Attributes:
        number: of the trial in the study, from 0.
        state: "complete"; "pruned" for falling behind on valid; "failed" for an error;
            "interrupted" for one that was cut off, and is tried again under another number.
        values: what replaced the values of the experiment, by key.
        score: weighted sum of validation metrics, of a trial that is complete.
        metrics: all validation metrics of the epoch that was kept.
        best_epoch: that epoch.
        seconds: wall-clock time; None where the process was killed.
        reason: why it is not complete.
    """

    number: int
    state: State
    values: dict[str, JsonValue]
    score: FiniteFloat | None = None
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    best_epoch: int | None = None
    seconds: FiniteFloat | None = None
    reason: str = ""


class Spent(Document):
    """What a study has used of its budget; time in which it was killed is not in it."""

    trials: int
    seconds: FiniteFloat

    @classmethod
    def on(cls, trials: list[TrialRecord]) -> Self:
        """What these trials took; one that was interrupted does not count as one."""
        ended = sum(trial.state != "interrupted" for trial in trials)
        return cls(trials=ended, seconds=sum(trial.seconds or 0.0 for trial in trials))

    def within(self, budget: Budget) -> bool:
        """Whether another trial may start."""
        return budget.leaves(self.trials, self.seconds)


class Seeds(Document):
    """Seeds of the training, the same for every trial, and of the split.

    The first is also the root of what the sampler draws.
    """

    training: int
    split: int


class TuningDocument(Document):
    """A study: what was searched, with what budget, on what, and every trial of it.

    Attributes:
        schema_version: of this document.
        created: the day it was written.
        versions: Python and libraries.
        hardware: what it ran on.
        dataset: fingerprint of the interactions.
        split: on whose valid part trials were evaluated; its test part was not looked at.
        config: fingerprint of the experiment whose values were replaced.
        monitor: validation metric to its weight in the score.
        space: what might be replaced by what.
        space_fingerprint: a hash of that.
        seeds: of training and split.
        sampler: what proposes configurations.
        pruner: what ends trials early.
        budget: what may be spent.
        spent: what was.
        best: number of the best trial; None where none is complete.
        importance: key to its share of what sets good trials apart, by PED-ANOVA; empty where few
            trials are complete.
        trials: in their order.
    """

    schema_version: Literal[1] = 1
    created: date
    versions: dict[str, str]
    hardware: Hardware
    dataset: str
    split: SplitReference
    config: str
    monitor: dict[str, float]
    space: SearchSpace
    space_fingerprint: str
    seeds: Seeds
    sampler: Literal["tpe"] = "tpe"
    pruner: Literal["median"] = "median"
    budget: Budget
    spent: Spent
    best: int | None
    importance: dict[str, FiniteFloat]
    trials: list[TrialRecord]

    def ranked(self) -> list[TrialRecord]:
        """The complete trials, best first, the earlier of two equal ones first."""
        return ranked(self.trials)

    def write(self, folder: Path, experiment: ExperimentConfig) -> None:
        """Write ``tuning.json``, and ``best.yaml``, the experiment with the best trial's values."""
        atomic_write_text(folder / DOCUMENT, self.model_dump_json(indent=2) + "\n")
        for best in self.ranked()[:1]:
            config = with_values(experiment, best.values, f"trial {best.number}")
            head = f"# Trial {best.number}, which scores {best.score:.6g} on valid; see {DOCUMENT}."
            atomic_write_text(folder / BEST, f"{head}\n{dump_experiment(config)}")


def ranked(trials: list[TrialRecord]) -> list[TrialRecord]:
    """The complete ones, best first, the earlier of two equal ones first."""
    complete = [(trial.score, trial) for trial in trials if trial.score is not None]
    return [trial for _, trial in sorted(complete, key=lambda pair: -pair[0])]
