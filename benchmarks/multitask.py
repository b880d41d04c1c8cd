"""Measure what each part of the joint model is worth; write MULTITASK.md.

    RECSYS_REAL_DATA=DIR python benchmarks/multitask.py     measure what is missing, then write
    python benchmarks/multitask.py --tables-only            write from the results that are there

One results file a protocol and seed, written anew after every row. A row is measured again only
when its configuration has changed, so an interrupted run goes on where it stopped; rows of another
version of the code are not told apart: delete them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from multitask_plan import GROUPS, PROTOCOLS
from multitask_report import REPORT, RESULTS, report
from multitask_work import Task, measure_all

from recsys.data.files import atomic_write


def main() -> int:
    """Measure and write; 1 where something could not be measured."""
    options = _options()
    failures = [] if options.tables_only else measure_all(_tasks(options), options.workers)
    with atomic_write(REPORT if options.results == RESULTS else options.results / REPORT.name) as t:
        t.write_text(report(options.results), encoding="utf-8")
    for failure in failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS), help="some of them")
    add("--seeds", nargs="+", type=int, help="some of each protocol's")
    add("--groups", nargs="+", choices=GROUPS, default=list(GROUPS), help="some of the variants")
    add("--workers", type=int, default=2, help="processes of one thread each")
    add("--tables-only", action="store_true", help="measure nothing")
    add("--results", type=Path, default=RESULTS, help="folder of the results")
    add("--set", nargs="+", default=[], metavar="KEY=VALUE", help="override, for trying it out")
    return parser.parse_args()


def _tasks(options: argparse.Namespace) -> Sequence[Task]:
    """One seed of every protocol, then the next, so that an early table has all of them."""
    wanted = [PROTOCOLS[name] for name in options.protocols]
    seeds = sorted({seed for protocol in wanted for seed in protocol.seeds})
    chosen = [seed for seed in seeds if options.seeds is None or seed in options.seeds]
    return [
        Task(protocol.name, seed, options.results, tuple(options.groups), tuple(options.set))
        for seed in chosen
        for protocol in wanted
        if seed in protocol.seeds
    ]


if __name__ == "__main__":
    sys.exit(main())
