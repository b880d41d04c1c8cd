"""What the tables of the leaderboards' pages show; ``templates/_tables.md.j2`` lays them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from recsys.benchmark.entries import entry_named
from recsys.benchmark.results import ModelDocument, Tuning
from recsys.benchmark.spaces import HyperParameters, Value

AGREEMENT: Final = 1e-6
ANCHOR_PROTOCOL, TUNED_PROTOCOL = "recbole-2020", "ml-ro"
ANCHOR_SEED: Final = 2020
ANCHOR_TOLERANCE: Final = 0.005
ANCHORS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "EASE": 0.330,
        "ADMMSLIM": 0.330,
        "RecVAE": 0.324,
        "SLIMElastic": 0.324,
        "LightGCN": 0.300,
        "BPR": 0.292,
    }
)
"""NDCG@10 on test of RecBole 1.2.1's own split of MovieLens-100K, seed 2020, by RecBole itself."""

UP, DOWN = " ↑", " ↓"
ORIGINS: Final = {
    "ours": "ours",
    "construction": "a construction of ours",
    "paper": "published, our code",
    "library": "library",
    "reference": "",
}


class Anchor(NamedTuple):
    """A model of RecBole beside the figure it is known by.

    Attributes:
        model: RecBole's name of it.
        known: the known figure.
        measured: the mean of ours; NaN where there is none.
        each: one a training seed.
        alone: what RecBole alone would have printed, the mean.
        tuned: what the configuration that valid prefers comes to.
    """

    model: str
    known: float
    measured: float
    each: Sequence[float]
    alone: float
    tuned: float


def known_figures(documents: Sequence[ModelDocument]) -> list[Anchor]:
    """Every anchor; none without documents of the anchors' protocol."""
    if not any(d.protocol == ANCHOR_PROTOCOL for d in documents):
        return []
    return [_anchor(documents, *anchor) for anchor in ANCHORS.items()]


def _anchor(documents: Iterable[ModelDocument], model: str, known: float) -> Anchor:
    of_model = [d for d in documents if d.name == f"{model} (RecBole)"]
    runs, tuned = (
        [
            run
            for d in of_model
            if d.protocol == protocol
            for run in d.runs
            if run.split.seed == ANCHOR_SEED
        ]
        for protocol in (ANCHOR_PROTOCOL, TUNED_PROTOCOL)
    )
    each, best = ([run.metric("ranking.ndcg@10") for run in found] for found in (runs, tuned))
    alone = [run.reference.get("native/ndcg@10", np.nan) for run in runs]
    mean, by_itself, of_best = (
        float(pd.Series(found, dtype=float).mean()) for found in (each, alone, best)
    )
    return Anchor(model, known, mean, each, by_itself, of_best)


def agreements(documents: Iterable[ModelDocument]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Models with figures by their library's evaluator: a row a run, how far ours are from them."""
    for document in documents:
        found = pd.DataFrame(
            {
                name: abs(value - run.metrics[f"ranking.{name}"])
                for name, value in run.reference.items()
                if f"ranking.{name}" in run.metrics
            }
            for run in document.runs
        ).dropna(how="all")
        if len(found):
            yield document.name, found


def checks_of(documents: Iterable[ModelDocument]) -> pd.DataFrame:
    """The sanity checks of all runs: smallest and largest value of each, and how many."""
    found = pd.DataFrame([run.checks for document in documents for run in document.runs])
    return found.agg(["min", "max", "count"]).T.sort_index() if len(found.columns) else found


def failed_trials(documents: Iterable[ModelDocument]) -> Iterable[tuple[tuple[str, str], int]]:
    """How many configurations of a model's search failed, by the model and the reason."""
    trials = ((d.name, trial) for d in documents if d.tuning for trial in d.tuning.trials)
    return Counter((name, t.failure.splitlines()[0]) for name, t in trials if t.failure).items()


def chosen(document: ModelDocument) -> str:
    """The chosen hyper-parameters, as ``name=value``, those at the end of their range marked."""
    entry, tuning = entry_named(document.name), document.tuning
    if tuning is None:
        return ""
    # Where nothing was tried nothing was chosen: the first one is where its documentation put it.
    space = entry.space if entry and tuning.trials else ()
    return ", ".join(f"{key}={v}{_end_of(space, key, v)}" for key, v in tuning.chosen.items())


def _end_of(space: Iterable[HyperParameters], name: str, value: Value) -> str:
    """An arrow where a number is the largest or smallest of three or more; "" otherwise."""
    offered = {point[name] for point in space if name in point}
    numbers = [v for v in offered if isinstance(v, int | float) and not isinstance(v, bool)]
    if value not in numbers or len(numbers) < 3:
        return ""
    return UP if value == max(numbers) else DOWN if value == min(numbers) else ""


def on_valid(tuning: Tuning) -> float | None:
    """What the chosen configuration came to on valid; None where it was not tried."""
    same = (t.score for t in tuning.trials if t.hyper_parameters == tuning.chosen)
    return next((abs(score) for score in same if score is not None), None)
