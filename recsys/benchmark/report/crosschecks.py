"""Whether figures agree with somebody else's: RecBole's own evaluator, and figures known before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from recsys.benchmark.document import ContenderDocument, Run
from recsys.benchmark.report.load import Measured
from recsys.benchmark.report.markdown import MISSING, number, table

AGREEMENT = 1e-6
ANCHOR_PROTOCOL, TUNED_PROTOCOL = "recbole-2020", "ml-ro"
ANCHOR_SEED = 2020
ANCHOR_TOLERANCE = 0.005
ANCHORS: Mapping[str, float] = MappingProxyType(
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


def largest_difference(run: Run) -> float | None:
    """Between a contender's own figures and ours on the same lists; None where it has none."""
    ours = _shared(run)
    return max((abs(run.reference[name] - value) for name, value in ours.items()), default=None)


def _shared(run: Run) -> dict[str, float]:
    """Our figures of which the contender has its own."""
    ours = {**(run.row.ranking or {}), **(run.row.rating or {})}
    return {name: value for name, value in ours.items() if name in run.reference}


def references(documents: Iterable[ContenderDocument]) -> str:
    """Our evaluator beside the contenders' own; "" where none has one."""
    rows = []
    for document in documents:
        found = [d for run in document.runs if (d := largest_difference(run)) is not None]
        if found:
            names = sorted({name for run in document.runs for name in _shared(run)})
            agrees = "yes" if max(found) <= AGREEMENT else "**no**"
            row = [
                document.contender,
                ", ".join(names),
                str(len(found)),
                f"{max(found):.1e}",
                agrees,
            ]
            rows.append(row)
    head = ["contender", "figures", "runs", "largest difference", f"within {AGREEMENT:g}"]
    return table(head, rows)


def anchors(measured: Iterable[Measured]) -> str:
    """RecBole's models on RecBole's split beside the figures they are known by; "" without any."""
    by_name = {found.protocol: found for found in measured}
    untuned, tuned = by_name.get(ANCHOR_PROTOCOL), by_name.get(TUNED_PROTOCOL)
    if untuned is None:
        return ""
    rows = [_anchor(model, known, untuned, tuned) for model, known in ANCHORS.items()]
    head = ["RecBole's", "known", "measured", "training seeds", "by RecBole alone", "difference"]
    return table([*head, f"within {ANCHOR_TOLERANCE:g}", "tuned on valid"], rows)


def _anchor(model: str, known: float, untuned: Measured, tuned: Measured | None) -> list[str]:
    values = _ndcg(untuned, model)
    after = _ndcg(tuned, model) if tuned else []
    last = number(float(np.mean(after)), 4) if after else MISSING
    if not values:
        return [model, f"{known:.3f}", "not measured", *[MISSING] * 4, last]
    mean = float(np.mean(values))
    alone = _ndcg(untuned, model, lambda run: run.reference.get("native/ndcg@10", math.nan))
    each = ", ".join(number(value, 4) for value in values)
    verdict = "**no**" if abs(mean - known) > ANCHOR_TOLERANCE else "yes"
    told = [number(mean, 4), each, number(float(np.mean(alone)), 4), f"{mean - known:+.4f}"]
    return [model, f"{known:.3f}", *told, verdict, last]


def _ours(run: Run) -> float:
    return (run.row.ranking or {}).get("ndcg@10", math.nan)


def _ndcg(measured: Measured, model: str, figure: Callable[[Run], float] = _ours) -> list[float]:
    """Of every run on the split that the figures are known of."""
    return [
        figure(run)
        for document in measured.documents.values()
        if document.family == "recbole" and model_of(document.contender) == model.casefold()
        for run in document.runs
        if run.split.seed == ANCHOR_SEED and run.row.ranking
    ]


def model_of(contender: str) -> str:
    """The model in the name of a contender: ``ease`` of "EASE (RecBole)"."""
    return contender.casefold().removesuffix("(recbole)").strip()
