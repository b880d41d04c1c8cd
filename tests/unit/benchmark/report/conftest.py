"""Fabricated documents: what a model is worth is known, so that what is said of it can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.benchmark.results import (
    ModelDocument,
    Packed,
    PermutationTest,
    Run,
    Trial,
    Tuning,
)
from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import SplitReference

N_USERS = 200
SEEDS = tuple(range(2020, 2030))


class Bench:
    """Writes documents.

    Users differ far more than models, and seeds a little: a model's value of a user is that
    user's own, plus what the model is worth, plus a little noise of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, protocol: str, model: str, worth: float, **more: Any) -> ModelDocument:
        document = fabricated(protocol, model, worth, **more)
        name = model.replace(" ", "-").replace("(", "").replace(")", "")
        document.save(self.folder / protocol / f"{name}.json")
        return document


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "results")


@pytest.fixture
def make_document() -> Callable[..., ModelDocument]:
    return fabricated


def fabricated(
    protocol: str,
    model: str,
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
    permutation: PermutationTest | None = None,
) -> ModelDocument:
    runs = []
    for fold in folds or (split,):
        for seed in seeds:
            values = users_values(model, worth, (fold, seed), noise)
            metrics, packed = figures(task, values, fit, beside)
            runs.append(
                Run(
                    seed=seed,
                    split=SplitReference(name=fold, seed=seed, fingerprint=f"{fold}-{seed}"),
                    metrics=metrics,
                    per_user=packed if per_user else {},
                    checks={"perfect": 1.0, "worst": 0.0, "block": 0.0},
                    reference=reference(ranking(metrics)) if reference else {},
                    users=Packed.of(np.arange(N_USERS, dtype=np.float64)) if with_users else None,
                )
            )
    tried = (
        [Trial(hyper_parameters={"a": 1}, score=worth, seconds=0.5)]
        if trials is None
        else list(trials)
    )
    return ModelDocument(
        created=date(2026, 1, 2),
        commit="0123abc",
        versions={"python": "3.11.7", "numpy": "1.26.4"},
        hardware=Hardware(cpu="A processor", cores=2, threads=1, memory_gib=8.0),
        dataset="f" * 64,
        protocol=protocol,
        model=model,
        family=family,
        fingerprint="0" * 64,
        tuning=Tuning(
            seed=seeds[0] if seeds else 2020,
            max_trials=budget[0],
            max_seconds=budget[1],
            n_configurations=12,
            trials=tried,
            chosen=dict(tried[0].hyper_parameters) if tried else {},
        ),
        permutation=permutation,
        runs=runs,
    )


def users_values(model: str, worth: float, part: tuple[str, int], noise: float) -> np.ndarray:
    own = np.random.default_rng(7).uniform(-0.2, 0.2, N_USERS)
    of_seed = np.random.default_rng(part[1]).normal(0, 0.005)
    label = sum(map(ord, model + part[0])) + 1000 * part[1]
    drawn = np.random.default_rng(label).normal(0, noise, N_USERS)
    return own + worth + of_seed + drawn


def ranking(metrics: Mapping[str, float]) -> dict[str, float]:
    return {n.removeprefix("ranking."): v for n, v in metrics.items() if n.startswith("ranking.")}


def figures(
    task: str, values: np.ndarray, fit: float, beside: float = 0.0
) -> tuple[dict[str, float], dict[str, Packed]]:
    mean = float(values.mean())
    found: dict[str, float] = {}
    packed = {"ndcg@10": values, "recall@10": values}
    if task == "rating":
        counts = np.arange(1, N_USERS + 1, dtype=np.float64)
        packed = {"squared_error": values, "n_ratings": counts}
        rmse = float(np.sqrt(np.average(values, weights=counts)))
        found = {"rating.rmse": rmse, "rating.mae": rmse * 0.8}
    elif task == "fold-in":
        packed = {f"ndcg@10/given-{n}": values + n / 100 for n in (1, 3, 5, 10)}
        found = {f"ranking.{name}": float(of_all.mean()) for name, of_all in packed.items()}
    else:
        names = ("ndcg", "recall", "mrr", "hit", "precision")
        found = {f"ranking.{name}@10": mean for name in names}
    if task == "cold":
        found |= {"overall.ndcg@10": mean / 10 + beside, "overall.recall@10": mean / 20}
        packed["overall/ndcg@10"] = values / 10 + beside
    found |= {"seconds.fit": fit, "seconds.score": fit / 10, "peak_mib": 100.0 + 10 * fit}
    found |= {"parameters": 1234, "n_users": N_USERS}
    return found, {name: Packed.of(of_all) for name, of_all in packed.items()}
