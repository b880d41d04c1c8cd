"""``python -m recsys.benchmark.recbole.worker SPEC.json``: one fit of one of RecBole's models.

Whatever it makes lies beside the spec: scores of all users, then the report.
"""

from __future__ import annotations

import logging
import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.recbole.exchange import SCORES, TEST, RecBoleReport, WorkerSpec
from recsys.benchmark.recbole.session import Figures, Session


def main(path: Path) -> None:
    """Fit, score everybody, and only then look at test."""
    import torch

    spec, folder = WorkerSpec.read(path), path.parent
    torch.set_num_threads(spec.threads)
    logging.getLogger().setLevel(logging.ERROR)
    import recbole.data
    import recbole.trainer  # noqa: F401 - the seconds of importing are no part of the fit's

    started = time.perf_counter()
    session = Session.open(spec)
    valid = session.fit()
    fitted = time.perf_counter()
    scores = session.write_scores(folder / SCORES)
    scored, peak = time.perf_counter(), _peak_mib()
    native, reference = _judged(session, folder / TEST, scores) if spec.judges else ({}, {})
    RecBoleReport(
        valid=valid,
        epochs=session.epochs,
        parameters=session.parameters,
        fit_seconds=fitted - started,
        score_seconds=scored - fitted,
        peak_mib=peak,
        version=metadata.version("recbole"),
        reference=reference,
        native=native,
    ).write(folder)


def _judged(session: Session, path: Path, scores: NDArray[np.float32]) -> Sequence[Figures]:
    """What RecBole finds of its model, then of the scores that it exported."""
    pairs = np.loadtxt(path, np.int64, delimiter="\t", skiprows=1, usecols=(0, 1), ndmin=2)
    return [session.judge(pairs, judged) for judged in (None, scores)]


def _peak_mib() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def die_with(parent: int, folder: Path) -> None:
    """Once the parent is gone, take the folder along and end: nobody else will.

    A fit that outlives a killed parent would go on for minutes and answer nobody.
    """
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    spec_path = Path(sys.argv[1])
    del sys.argv[1:]  # RecBole takes them for its own settings
    watch = (os.getppid(), spec_path.parent)
    threading.Thread(target=die_with, args=watch, daemon=True).start()
    main(spec_path)
