"""Models that are fitted at once, some broken on purpose; processes import them by name.

A fit leaves a mark in the folder that ``BENCH_MARKS`` names, so that fits can be counted.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from recsys.benchmark.entries import Entry, registered, require_entry
from recsys.benchmark.recbole.exchange import RecBoleReport
from recsys.benchmark.recbole.model import RecBoleConfig, RecBoleModel
from recsys.benchmark.spaces import grid
from recsys.queries.query import Query
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

    def _fit(self, data):
        mark(*self.marks)
        return super()._fit(data)


class Refuses(Marked):
    def _fit(self, data):
        super()._fit(data)
        raise ValueError("no, thank you")


class RefusesLarge(Marked):
    def _fit(self, data):
        found = super()._fit(data)
        if self.config.l2 > 50:
            raise ValueError("too large")
        return found


class Dies(Marked):
    def _fit(self, data):
        found = super()._fit(data)
        if self.config.l2 > 50:
            sys.stdout.write("the last words\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return found


class Waits(Marked):
    def _fit(self, data):
        super()._fit(data)
        time.sleep(600)


class ByPlace(Marked):
    """Broken: who is lists about first gets other scores."""

    def score(self, query):
        scores = super().score(query)
        return scores * np.where(np.arange(len(scores)) % 3, 1, -1)[:, None].astype(np.float32)


class Leaky(Marked):
    """Broken: it has the test ratings from elsewhere."""

    told = None

    def score(self, query):
        return self.told.matrix().toarray()[query.users]


class Elsewhere(RecBoleModel):
    """Stands in for a model that another program fits."""

    def __init__(self, name, options, seed):
        super().__init__(RecBoleConfig("EASE"))
        self.name, self.marks = name, (name, seed, options)

    def _fit(self, data):
        mark(*self.marks)
        found = {} if self.test is None else {"ndcg@10": 0.5, "mrr@10": float("nan")}
        self.report = RecBoleReport({}, 14, 13, 11.0, 12.0, 1.0, "", found, {"ndcg@10": 0.4})
        return {"scores": Ease(EaseConfig(l2=10.0)).fit(data).score(Query.known(data.train))}


def marked(name, kind=Marked, space=({},), *, random=False, stops_early=False, **more):
    facts = replace(
        Ease.facts, random=random, stops_early=stops_early, library=more.pop("library", None)
    )
    return Entry(
        name=name,
        family="classic",
        tasks=frozenset({"warm", "cold", "fold-in"}),
        facts=facts,
        make=partial(kind, name),
        space=space,
        **more,
    )


L2 = grid(l2=(10.0, 1.0, 100.0, 1000.0))
ENTRIES = (
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
    marked("elsewhere", Elsewhere),
    require_entry("true-popularity"),
    marked("drawn", random=True),
    marked("early", stops_early=True),
    marked("absent", library="no_such_module"),
    marked("poster", modality="poster"),
    registered("bias", "classic", ("rating",)),
    registered("item-knn", "classic", ("rating", "warm")),
)
