"""One fit of one of RecBole's models; only ever run in a process of its own."""

from __future__ import annotations

import logging
import os
import sys
import time
from importlib import metadata
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.recbole.exchange import SCORES, TEST, RecBoleReport, WorkerSpec
from recsys.benchmark.recbole.session import Figures, Session
from recsys.evaluation.environment import peak_mib


def serve(pipe: Connection, spec: WorkerSpec) -> None:
    """Fit, write scores of everybody, and only then look at test; the report is sent."""
    os.chdir(spec.folder)
    del sys.argv[1:]  # RecBole takes them for its own settings
    pipe.send(fit(spec))


def fit(spec: WorkerSpec) -> RecBoleReport:
    """One fit in the current folder."""
    import torch

    torch.set_num_threads(spec.threads)
    logging.getLogger().setLevel(logging.ERROR)
    import recbole.data
    import recbole.trainer  # noqa: F401 - the seconds of importing are no part of the fit's

    started = time.perf_counter()
    session = Session.open(spec)
    valid = session.fit()
    fitted = time.perf_counter()
    scores = session.write_scores(spec.folder / SCORES)
    scored, peak = time.perf_counter(), peak_mib()
    native, reference = _evaluated(session, spec, scores) if spec.evaluates else ({}, {})
    return RecBoleReport(
        valid=valid,
        epochs=session.epochs,
        parameters=session.parameters,
        fit_seconds=fitted - started,
        score_seconds=scored - fitted,
        peak_mib=peak,
        version=metadata.version("recbole"),
        reference=reference,
        native=native,
    )


def _evaluated(session: Session, spec: WorkerSpec, scores: NDArray[np.float32]) -> list[Figures]:
    """What RecBole finds of its model, then of the scores that it exported."""
    path = Path(spec.folder) / TEST
    pairs = np.loadtxt(path, np.int64, delimiter="\t", skiprows=1, usecols=(0, 1), ndmin=2)
    return [session.evaluate(pairs, given) for given in (None, scores)]
