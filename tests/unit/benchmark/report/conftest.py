"""Fabricated documents: what a contender is worth is known, so that what is said of it can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recsys.benchmark.document import ContenderDocument, NullFit, Packed, Run, Trial, Tuning

from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import ResultRow, Seconds, SplitReference

N_USERS = 200
SEEDS = tuple(range(2020, 2030))


class Bench:
    """Writes documents.

    Users differ far more than contenders, and seeds a little: a contender's value of a user is that
    user's own, plus what the contender is worth, plus a little noise of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, protocol: str, contender: str, worth: float, **more: Any) -> ContenderDocument:
        document = fabricated(protocol, contender, worth, **more)
        name = contender.replace(" ", "-").replace("(", "").replace(")", "")
        document.save(self.folder / protocol / f"{name}.json")
        return document


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "results")


@pytest.fixture
def make_document() -> Callable[..., ContenderDocument]:
    return fabricated


def fabricated(
    protocol: str,
    contender: str,
    worth: float,
    *,
    family: str = "classic",
    beside: float = 0.0,
    task: str = "warm",
    split: str = "ro",
    folds: Sequence[str] = (),
    seeds: Sequence[int] = SEEDS,
    noise: float = 0.01,
    fit: float = 1.0,
    with_users: bool = True,
    per_user: bool = True,
    trials: Sequence[Trial] | None = None,
    budget: tuple[int, float] = (8, 600.0),
    reference: Callable[[Mapping[str, float]], dict[str, float]] | None = None,
    null: NullFit | None = None,
) -> ContenderDocument:
    runs = []
    for fold in folds or (split,):
        for seed in seeds:
            values = users_values(contender, worth, (fold, seed), noise)
            row, packed = figures(contender, task, values, fit, beside)
            runs.append(
                Run(
                    seed=seed,
                    split=SplitReference(name=fold, seed=seed, fingerprint=f"{fold}-{seed}"),
                    row=row,
                    per_user=packed if per_user else {},
                    peak_mib=100.0 + 10 * fit,
                    gates={"perfect": 1.0, "worst": 0.0, "block": 0.0},
                    reference=reference(row.ranking or {}) if reference else {},
                    users=Packed.of(np.arange(N_USERS, dtype=np.float64)) if with_users else None,
                )
            )
    tried = [Trial(options={"a": 1}, score=worth, seconds=0.5)] if trials is None else list(trials)
    return ContenderDocument(
        created=date(2026, 1, 2),
        commit="0123abc",
        versions={"python": "3.11.7", "numpy": "1.26.4"},
        hardware=Hardware(cpu="A processor", cores=2, threads=1, memory_gib=8.0),
        dataset="f" * 64,
        protocol=protocol,
        contender=contender,
        family=family,
        fingerprint="0" * 64,
        tuning=Tuning(
            seed=seeds[0] if seeds else 2020,
            max_trials=budget[0],
            max_seconds=budget[1],
            n_points=12,
            trials=tried,
            chosen=dict(tried[0].options) if tried else {},
        ),
        null=null,
        runs=runs,
    )


def users_values(contender: str, worth: float, part: tuple[str, int], noise: float) -> np.ndarray:
    own = np.random.default_rng(7).uniform(-0.2, 0.2, N_USERS)
    of_seed = np.random.default_rng(part[1]).normal(0, 0.005)
    label = sum(map(ord, contender + part[0])) + 1000 * part[1]
    drawn = np.random.default_rng(label).normal(0, noise, N_USERS)
    return own + worth + of_seed + drawn


def figures(
    contender: str, task: str, values: np.ndarray, fit: float, beside: float = 0.0
) -> tuple[ResultRow, dict[str, Packed]]:
    mean = float(values.mean())
    row: dict[str, Any] = {}
    packed = {"ndcg@10": values, "recall@10": values}
    if task == "rating":
        counts = np.arange(1, N_USERS + 1, dtype=np.float64)
        packed = {"squared_error": values, "n_ratings": counts}
        rmse = float(np.sqrt(np.average(values, weights=counts)))
        row["rating"] = {"rmse": rmse, "mae": rmse * 0.8}
    elif task == "fold-in":
        packed = {f"ndcg@10/likes={n}": values + n / 100 for n in (1, 3, 5, 10)}
        row["ranking"] = {name: float(found.mean()) for name, found in packed.items()}
    else:
        names = ("ndcg", "recall", "mrr", "hit", "precision")
        row["ranking"] = {f"{name}@10": mean for name in names}
    if task == "cold":
        row["overall"] = {"ndcg@10": mean / 10 + beside, "recall@10": mean / 20}
        packed["overall/ndcg@10"] = values / 10 + beside
    made = ResultRow(
        model=contender,
        seed=None,
        seconds=Seconds(fit=fit, score=fit / 10),
        n_users=N_USERS,
        parameters=1234,
        **row,
    )
    return made, {name: Packed.of(found) for name, found in packed.items()}
