"""Contenders that are fitted at once, some broken on purpose; processes import them by name.

A fit leaves a mark in the folder that ``BENCH_MARKS`` names, so that fits can be counted.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from recsys.recommenders.item_knn.model import ItemKNN

from recsys.benchmark.contender import Contender, grid
from recsys.recommenders.bias import BiasModel
from recsys.recommenders.closed_form.ease import Ease, EaseConfig


def mark(name, seed, options):
    folder = os.environ.get("BENCH_MARKS")
    if folder:
        text = "-".join([name, str(seed), *(f"{k}={v}" for k, v in options.items())])
        (Path(folder) / f"{text}#{uuid.uuid4().hex}").touch()


class Marked(Ease):
    def __init__(self, name, options, seed):
        super().__init__(EaseConfig(l2=options.get("l2", 10.0)))
        self.name, self.marks = name, (name, seed, options)

    def fit(self, train, valid, catalogue):
        mark(*self.marks)
        return super().fit(train, valid, catalogue)


class Refuses(Marked):
    def fit(self, train, valid, catalogue):
        super().fit(train, valid, catalogue)
        raise ValueError("no, thank you")


class RefusesLarge(Marked):
    def fit(self, train, valid, catalogue):
        super().fit(train, valid, catalogue)
        if self.config.l2 > 50:
            raise ValueError("too large")
        return self


class Dies(Marked):
    def fit(self, train, valid, catalogue):
        super().fit(train, valid, catalogue)
        if self.config.l2 > 50:
            sys.stdout.write("the last words\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return self


class Waits(Marked):
    def fit(self, train, valid, catalogue):
        super().fit(train, valid, catalogue)
        time.sleep(600)


class ByPlace(Marked):
    """Broken: who is asked about first gets other scores."""

    def score(self, query):
        scores = super().score(query)
        return scores * np.where(np.arange(len(scores)) % 3, 1, -1)[:, None].astype(np.float32)


class Leaky(Marked):
    """Broken: it has the test ratings from elsewhere."""

    told = None

    def score(self, query):
        return self.told.matrix().toarray()[query.users]


class Seer(Marked):
    def see(self, test):
        self.test = test.item_counts().astype(np.float32)

    def score(self, query):
        return np.tile(self.test, (len(query), 1))


class Elsewhere(Marked):
    def fit(self, train, valid, catalogue, *, test=None):
        found = {} if test is None else {"ndcg@10": 0.5, "mrr@10": float("nan")}
        self.report = SimpleNamespace(
            fit_seconds=11.0,
            score_seconds=12.0,
            parameters=13,
            epochs=14,
            reference=found,
            native={"ndcg@10": 0.4},
        )
        return super().fit(train, valid, catalogue)


def marked(name, kind=Marked, space=({},), **more):
    return Contender(
        name=name,
        family="classic",
        tasks=more.pop("tasks", frozenset({"warm", "cold", "fold-in"})),
        make=lambda options, seed: kind(name, options, seed),
        space=space,
        **more,
    )


L2 = grid(l2=(10.0, 1.0, 100.0, 1000.0))
STARS = frozenset({"rating"})
CONTENDERS = (
    marked("plain"),
    marked("tuned", space=L2),
    marked("refuses", Refuses),
    marked("refuses tuning", Refuses, space=L2),
    marked("refuses large", RefusesLarge, space=L2),
    marked("dies", Dies, space=L2),
    marked("dies at once", Dies, space=({"l2": 100.0},)),
    marked("waits", Waits),
    marked("by place", ByPlace),
    marked("leaky", Leaky),
    marked("seer", Seer, sees_test=True),
    marked("elsewhere", Elsewhere, fits_elsewhere=True),
    marked("drawn", random=True),
    marked("early", stops_early=True),
    marked("absent", requires="no_such_module"),
    marked("poster", modality="poster"),
    Contender("bias", "classic", STARS, lambda *_: BiasModel()),
    Contender("knn", "classic", STARS | {"warm"}, lambda *_: ItemKNN()),
)
