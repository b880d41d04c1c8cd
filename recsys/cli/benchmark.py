"""``recsys benchmark run|list|report``."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from recsys.cli import output
from recsys.cli.application import add_verb, new_app
from recsys.cli.options import DocumentFormatOption, option

if TYPE_CHECKING:
    from recsys.benchmark.protocols import Protocol

app = new_app("Measure models under protocols, every one with the same budget.")

RESULTS: Final = Path("benchmarks/results")
QUICK_FOLDER: Final = "quick"


ResultsOption = Annotated[
    Path, option("--results DIR", "Folder of the results: DIR/PROTOCOL/MODEL.json.")
]


def run(
    *,
    protocols: Annotated[
        list[str] | None,
        option("--protocols A,B", "Names or patterns. Default: leaderboards whose data is there."),
    ] = None,
    models: Annotated[
        list[str] | None, option("--models A,B", "Names or patterns. Default: all.")
    ] = None,
    seeds: Annotated[
        int | None, option("--seeds N", "The first N of each protocol. Default: all.", min=1)
    ] = None,
    quick: Annotated[
        bool, option("--quick", f"A trial run, into the folder '{QUICK_FOLDER}' of the results.")
    ] = False,
    results: ResultsOption = RESULTS,
    workers: Annotated[
        int, option("--workers N", "Processes at a time, of one thread each.", min=1)
    ] = 2,
    max_hours: Annotated[
        float | None, option("--max-hours H", "No fit starts after H hours.", min=0)
    ] = None,
) -> None:
    """Measure what is missing; every fit has a process and a thread of its own.

    Protocols and models are named one by one, by commas, or by patterns such as 'spine-*' and
    '*recbole*'. What was measured is not measured again, unless what decides its numbers has
    changed. --quick: some protocols, two seeds, one fold, models that are fitted in seconds,
    nothing tuned.

    Hyper-parameters are chosen on the validation part of the first seed, and serve all seeds. With
    them each model is fitted to shuffled ratings first: one that finds test ratings even then knows
    them from elsewhere, gets no run and is not ranked. Stopped in whatever way, the same command
    goes on where it was. The exit code is 1 where something could not be measured; everything else
    is measured first.
    """
    from recsys.benchmark.schedule import Rules, run_benchmark
    from recsys.benchmark.tuning import Budget

    asked = _protocols(protocols, seeds, quick)
    names = _models(models, asked, quick)
    folder, budget = (results / QUICK_FOLDER, Budget(trials=1)) if quick else (results, Budget())
    outcome = run_benchmark(asked, names, Rules(folder, budget, workers, max_hours), _say)
    output.say("measured", f"{outcome.fits:,} fits, in {folder}")
    if outcome.left:
        output.note(f"{outcome.left:,} fits are left; the same command goes on with them")
    for failure in outcome.failures:
        output.complain(f"not measured: {failure}")
    if outcome.failures:
        raise typer.Exit(1)


def _protocols(wanted: list[str] | None, seeds: int | None, quick: bool) -> list[Protocol]:
    from recsys.benchmark.ablations import EVERY_PROTOCOL
    from recsys.benchmark.protocols import PROTOCOLS, QUICK_PROTOCOLS, QUICK_SEEDS

    usual = QUICK_PROTOCOLS if quick else tuple(PROTOCOLS)
    named = _chosen("protocol", wanted, {name: name for name in EVERY_PROTOCOL}) or usual
    short = (min(seeds or QUICK_SEEDS, QUICK_SEEDS), 1) if quick else (seeds, None)
    return [EVERY_PROTOCOL[name].shortened(*short) for name in named]


def _models(
    wanted: list[str] | None, protocols: Sequence[Protocol], quick: bool
) -> Sequence[str] | None:
    from recsys.benchmark.entries import QUICK, entries
    from recsys.benchmark.results import file_name

    own = [entry.name for protocol in protocols for entry in protocol.own]
    names = dict.fromkeys([*entries(), *own])
    known = {**{file_name(name): name for name in names}, **{name: name for name in names}}
    return _chosen("model", wanted, known) or (QUICK if quick else None)


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


def list_(*, format_: DocumentFormatOption = "table") -> None:
    """Say which protocols and models there are."""
    from recsys.benchmark.ablations import EVERY_PROTOCOL
    from recsys.benchmark.entries import entries

    protocols = [
        {
            "name": protocol.name,
            "title": protocol.title,
            "tasks": list(protocol.tasks),
            "compared_by": protocol.headline.title,
            "runs": len(protocol.folds) * len(protocol.seeds),
        }
        for protocol in EVERY_PROTOCOL.values()
    ]
    models = [
        {
            "name": entry.name,
            "family": entry.family,
            "tasks": sorted(entry.tasks),
            "configurations": len(entry.space),
            "available": entry.is_available,
        }
        for entry in entries().values()
    ]
    output.show({"protocols": protocols, "models": models}, format_, _print)


def _print(document: dict[str, list[dict[str, object]]]) -> None:
    for before, (title, rows) in zip(("", "\n"), document.items(), strict=True):
        numbers = [name for name, value in rows[0].items() if type(value) is int]
        heads = [name.replace("_", " ") for name in rows[0]]
        cells = (map(_cell, row.values()) for row in rows)
        output.print_rows(heads, cells, before + title, numbers)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def report(
    *,
    results: ResultsOption = RESULTS,
    out: Annotated[Path, option("--out DIR", "Where the pages go.")] = Path("benchmarks"),
) -> None:
    """Write the report, the guide to choosing, the other pages, and the plots.

    Nothing is measured: the same results give the same files. Prints what it has written. A
    README.md beside DIR gets its tables, if it has the markers for them.
    """
    from recsys.benchmark.report import write_report

    for path in write_report(results, out):
        typer.echo(path)


def probe(
    kind: Annotated[
        Literal["alignment", "features"],
        typer.Argument(help="What is measured.", show_default=False),
    ],
    *,
    results: ResultsOption = RESULTS,
) -> None:
    """Measure what features are worth by themselves.

    ``alignment``: how often a plot finds its own metadata, before and after alignment.
    ``features``: what each modality knows of genres.
    """
    from recsys.benchmark.probes import probe as measure

    typer.echo(measure(kind, results, _say))


add_verb(app, "run", run, "recsys benchmark run --protocols ml-ro --models ease,popularity")
add_verb(app, "list", list_, "recsys benchmark list --format json")
add_verb(app, "probe", probe, "recsys benchmark probe features")
add_verb(app, "report", report, "recsys benchmark report --out benchmarks")
