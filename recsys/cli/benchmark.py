"""``recsys benchmark run|list|report``."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recsys.cli import output
from recsys.cli.application import add_verb, new_app
from recsys.cli.options import DocumentFormatOption
from recsys.cli.output import DocumentFormat

if TYPE_CHECKING:
    from recsys.benchmark.protocols import Protocol
    from recsys.benchmark.running import Outcome

app = new_app("Measure contenders under protocols, every one with the same budget.")

RESULTS: Final = Path("benchmarks/results/bench")
PAGES: Final = Path("benchmarks")
QUICK_FOLDER: Final = "quick"

ProtocolsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--protocols",
        metavar="A,B",
        help="Some protocols, by name or pattern; repeatable. Default: all whose data is there, "
        "the large ones last.",
        show_default=False,
    ),
]
ContendersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contenders",
        metavar="A,B",
        help="Some contenders, by name or pattern such as '*recbole*'; repeatable. Default: all.",
        show_default=False,
    ),
]
SeedsOption = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        min=1,
        metavar="N",
        help="The first N seeds of each protocol. Default: all of them.",
        show_default=False,
    ),
]
QuickOption = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Some protocols, two seeds, one fold, contenders that are fitted in seconds, nothing "
        f"tuned; into the folder '{QUICK_FOLDER}' of the results.",
    ),
]
ResultsOption = Annotated[
    Path,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Folder of the results: DIR/PROTOCOL/CONTENDER.json. What is there is not measured "
        "again, unless what decides its numbers has changed.",
    ),
]
MeasuredOption = Annotated[
    Path,
    typer.Option(
        "--results", metavar="DIR", help="What was measured: DIR/PROTOCOL/CONTENDER.json."
    ),
]
PagesOption = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Where the pages go; a README.md beside this folder gets its table, if it has the "
        "markers for one.",
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option("--workers", min=1, metavar="N", help="Processes at a time, of one thread each."),
]
HoursOption = Annotated[
    float | None,
    typer.Option(
        "--max-hours",
        min=0,
        metavar="H",
        help="No fit starts after H hours; run it again to go on.",
        show_default=False,
    ),
]


def run(
    *,
    protocols: ProtocolsOption = None,
    contenders: ContendersOption = None,
    seeds: SeedsOption = None,
    quick: QuickOption = False,
    results: ResultsOption = RESULTS,
    workers: WorkersOption = 2,
    max_hours: HoursOption = None,
) -> None:
    """Measure what is missing; every fit has a process and a thread of its own.

    Options are chosen on the validation part of the first seed, and serve all seeds. With them each
    contender is fitted to shuffled ratings first: who finds test ratings even then knows them from
    elsewhere, gets no run and is not ranked. Stopped in whatever way, the same command goes on
    where it was. The exit code is 1 where something could not be measured; everything else is
    measured first.
    """
    from recsys.benchmark.planning import Rules
    from recsys.benchmark.running import run_benchmark
    from recsys.benchmark.tuning import Budget

    asked = _protocols(protocols, seeds, quick)
    names = _contenders(contenders, quick)
    rules = Rules(
        results / QUICK_FOLDER if quick else results,
        Budget(trials=1) if quick else Budget(),
        workers,
        max_hours,
    )
    _end(run_benchmark(asked, names, rules, _say), rules.results)


def _protocols(wanted: list[str] | None, seeds: int | None, quick: bool) -> list[Protocol]:
    from recsys.benchmark.protocols import PROTOCOLS, QUICK_PROTOCOLS, QUICK_SEEDS

    usual = QUICK_PROTOCOLS if quick else tuple(PROTOCOLS)
    named = _chosen("protocol", wanted, {name: name for name in PROTOCOLS}) or usual
    if quick:
        return [PROTOCOLS[n].shortened(min(seeds or QUICK_SEEDS, QUICK_SEEDS), 1) for n in named]
    return [PROTOCOLS[name].shortened(seeds) for name in named]


def _contenders(wanted: list[str] | None, quick: bool) -> Sequence[str] | None:
    from recsys.benchmark.contenders import QUICK
    from recsys.benchmark.job import contenders
    from recsys.benchmark.standing import file_name

    names = contenders()
    known = {**{file_name(name): name for name in names}, **{name: name for name in names}}
    return _chosen("contender", wanted, known) or (QUICK if quick else None)


def _chosen(kind: str, wanted: Iterable[str] | None, known: dict[str, str]) -> tuple[str, ...]:
    """The names that patterns stand for, in the order of ``known``."""
    from recsys.errors import ConfigError, nearest

    found: set[str] = set()
    for pattern in (part.strip() for given in wanted or () for part in given.split(",")):
        matched = {name for key, name in known.items() if fnmatch.fnmatchcase(key, pattern)}
        if not matched:
            close = ", ".join(nearest(pattern, known)) or ", ".join(dict.fromkeys(known.values()))
            raise ConfigError(f"there is no {kind} {pattern!r}", hint=f"there are: {close}")
        found |= matched
    return tuple(name for name in dict.fromkeys(known.values()) if name in found)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _end(outcome: Outcome, results: Path) -> None:
    output.say("measured", f"{outcome.fits:,} fits, in {results}")
    if outcome.left:
        output.note(f"{outcome.left:,} fits are left; the same command goes on with them")
    for failure in outcome.failures:
        output.complain(f"not measured: {failure}")
    if outcome.failures:
        raise typer.Exit(1)


def list_(*, format_: DocumentFormatOption = DocumentFormat.TABLE) -> None:
    """Say which protocols and contenders there are."""
    from recsys.benchmark.job import contenders
    from recsys.benchmark.protocols import PROTOCOLS

    protocols = [
        {
            "name": protocol.name,
            "title": protocol.title,
            "tasks": list(protocol.tasks),
            "judged_by": protocol.headline.name,
            "runs": len(protocol.folds) * len(protocol.seeds),
        }
        for protocol in PROTOCOLS.values()
    ]
    entrants = [
        {
            "name": contender.name,
            "family": contender.family,
            "tasks": sorted(contender.tasks),
            "points": len(contender.space),
            "available": contender.is_available,
        }
        for contender in contenders().values()
    ]
    if format_ is DocumentFormat.JSON:
        output.print_json({"protocols": protocols, "contenders": entrants})
        return
    _print("protocols", protocols)
    typer.echo()
    _print("contenders", entrants)


def _print(title: str, rows: Sequence[dict[str, object]]) -> None:
    numbers = [name for name, value in rows[0].items() if type(value) is int]
    table = output.new_table(*(name.replace("_", " ") for name in rows[0]), right=numbers)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    output.print_table(table, title)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def report(*, results: MeasuredOption = RESULTS, out: PagesOption = PAGES) -> None:
    """Write the report, the guide to choosing, a page a protocol, and the pictures.

    Nothing is measured: the same results give the same files. Prints what it has written.
    """
    from recsys.benchmark.report import write_report

    for path in write_report(results, out):
        typer.echo(path)


add_verb(app, "run", run, "recsys benchmark run --protocols ml-ro --contenders ease,popularity")
add_verb(app, "list", list_, "recsys benchmark list --format json")
add_verb(app, "report", report, "recsys benchmark report --out benchmarks")
