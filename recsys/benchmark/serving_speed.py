"""What serving a bundle costs, in milliseconds of CPU.

``OMP_NUM_THREADS=1 python -m recsys.benchmark.serving_speed --bundle runs/ro``
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from recsys.engine import Engine

_K, _BECAUSE = 10, 3


def _spent(run: Callable[[], object], times: int = 1) -> float:
    """Milliseconds of CPU that one run takes, all threads together; the median of several."""
    spent = []
    for _ in range(times):
        started = time.process_time_ns()
        run()
        spent.append((time.process_time_ns() - started) / 1e6)
    return statistics.median(spent)


def main() -> None:
    """Measure the bundle that the command line names."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundle", type=Path, required=True)
    options.add_argument("--users", type=int, default=1000, help="how many at most")
    given = options.parse_args()
    opened: list[Engine] = []
    loading = _spent(lambda: opened.append(Engine.load(given.bundle)))
    engine = opened[0]
    users = list(engine.users)[: given.users]
    everyone = _spent(lambda: engine.recommend_many(users, _K, because=_BECAUSE))
    each = [_spent(lambda u=u: engine.recommend(u, _K, because=_BECAUSE)) for u in users]  # type: ignore[misc]
    print(f"{engine!r}, {os.environ.get('OMP_NUM_THREADS', 'all')} OpenMP threads")  # noqa: T201
    figures = {
        "loading, once": loading,
        f"one list of {_K}, {_BECAUSE} reasons, median": statistics.median(each),
        f"{len(users)} lists one by one": sum(each),
        f"{len(users)} lists together, first time": everyone,
        f"{len(users)} lists together, median": _spent(
            lambda: engine.recommend_many(users, _K, because=_BECAUSE), 7
        ),
    }
    for what, spent in figures.items():
        print(f"{spent:10.3f} ms  {what}")  # noqa: T201


if __name__ == "__main__":
    main()
