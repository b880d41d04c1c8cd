"""What a fit and its process tell each other.

Nothing here imports RecBole, torch, or anything slow: both sides read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DATASET: Final = "split"
"""The data set as RecBole knows it, which is a folder of this name."""

SCORES: Final = "scores.npy"
TEST: Final = "test.inter"
"""Test ratings for the reference figures: outside the data set, and not read before all scores are
written."""


@dataclass(frozen=True)
class WorkerSpec:
    """What a process has to do.

    Attributes:
        model: RecBole's name of it.
        settings: what RecBole is configured with.
        options: the keys of ``settings`` that somebody chose, which RecBole has to know.
        threads: of its numerical libraries.
        shape: users and items.
        folder: of the data set, and of whatever the process writes.
        evaluates: whether RecBole is to evaluate its model on the test ratings that lie beside.
    """

    model: str
    settings: dict[str, Any]
    options: list[str]
    threads: int
    shape: tuple[int, int]
    folder: Path
    evaluates: bool


@dataclass(frozen=True)
class RecBoleReport:
    """What became of a fit.

    Attributes:
        valid: RecBole's own figures of the kept model on valid: "ndcg@10" and the like.
        epochs: how many were trained; 1 for what is solved, not trained.
        parameters: numbers learnt; of a model that is solved, its weights that are not 0.
        fit_seconds: reading, training and early stopping, without starting the process.
        score_seconds: of scoring all users.
        peak_mib: highest resident memory of the process until then, in MiB.
        version: of RecBole.
        reference: RecBole's own figures of these very scores on test, ties broken as ours are;
            empty where it was not given test.
        native: likewise, but the model is asked anew and ties fall as RecBole's sort leaves them:
            what RecBole alone would have printed.
    """

    valid: Mapping[str, float]
    epochs: int
    parameters: int
    fit_seconds: float
    score_seconds: float
    peak_mib: float
    version: str
    reference: Mapping[str, float]
    native: Mapping[str, float]
