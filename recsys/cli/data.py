"""``recsys data describe|validate|split|fetch|tmdb``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli import options, output, tmdb
from recsys.cli.application import add_verb, new_app
from recsys.cli.options import OnBadRow, argument, option

if TYPE_CHECKING:
    from recsys.data.dataset import Dataset
    from recsys.data.describe import DatasetSummary
    from recsys.data.splits import SplitSummary

app = new_app("Look at data sets, check them, split them, download them.")


NameArgument = Annotated[
    str | None,
    argument("NAME", "Such as ml-1m. Default: what --data holds, MovieLens-100K without it."),
]
ReportOption = Annotated[
    Path | None,
    option("--report FILE", "Where to write which rows are bad: .json, or .csv without counts."),
]


def describe(
    *,
    name: NameArgument = None,
    data: options.DataOption = None,
    on_bad_row: options.OnBadRowOption = "error",
    report: ReportOption = None,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Say what a data set holds.

    Sizes, ratings, times, genres, facts about the movies, films that are listed twice.
    """
    from recsys.data.describe import describe as summarise

    output.show(summarise(_open(name, data, on_bad_row, report)), format_, _print_summary)


def validate(
    *,
    name: NameArgument = None,
    data: options.DataOption = None,
    on_bad_row: options.OnBadRowOption = "error",
    report: ReportOption = None,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Count the good and the bad rows of a ratings file.

    The bad ones are counted by reason. Bad rows end with exit code 3, unless they are quarantined.
    """
    dataset = _open(name, data, "quarantine", report)
    rows = dataset.report
    if format_ == "json":
        output.print_json(rows.to_dict())
    else:
        counts = {"good": rows.good, **rows.counts, "total": rows.total}
        output.print_counts("rows", counts, str(rows.source))
    if rows.bad and on_bad_row == "error":
        raise rows.refusal(dataset.scale)


def split(
    *,
    name: Annotated[str, argument("NAME", f"{options.SPLITS}.")],
    dataset: options.DatasetOption = None,
    data: options.DataOption = None,
    seed: Annotated[int, option("--seed N", "Of what the split draws at random.")] = 2020,
    out: Annotated[
        Path | None, option("--out DIR", "Where to write them as RecBole's atomic files.")
    ] = None,
    on_bad_row: options.OnBadRowOption = "error",
    report: ReportOption = None,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Divide ratings into train, valid and test.

    The parts are written as RecBole's atomic files, which are tab-separated text.
    """
    from recsys.data import splits

    read = _open(dataset, data, on_bad_row, report)
    made = splits.make_split(read, name, seed)
    for path in splits.write_split(made, out) if out else ():
        output.say("wrote", str(path))
    output.show(splits.describe(made), format_, _print_split)


def fetch(
    *,
    name: Annotated[str, argument("NAME", "Which data set, such as ml-1m.")] = "ml-100k",
    data: Annotated[
        Path | None, option("--data DIR", "Where to put the folder NAME. Default: the cache.")
    ] = None,
) -> None:
    """Download a data set, and print its folder.

    What is downloaded is checked against the checksum of the recipe; nothing is downloaded twice.
    With RECSYS_OFFLINE=1 nothing is downloaded; the message says how to get it by hand.
    """
    from recsys.data.fetch import fetch as download
    from recsys.data.recipes import load_recipe

    recipe = load_recipe(name)
    output.say("terms", recipe.licence)
    output.say("cite", recipe.citation + (f" doi:{recipe.doi}" if recipe.doi else ""))
    typer.echo(str(download(recipe, data)))


def _open(
    name: str | None, data: Path | None, on_bad_row: OnBadRow, report: Path | None
) -> Dataset:
    from recsys.data.sources import open_dataset

    with output.busy("reading"):
        dataset = open_dataset(name, data, on_bad_row)
    rows = dataset.report
    if rows.bad:
        output.note(f"{len(rows.bad):,} of {rows.total:,} rows of {rows.source} are bad")
    if report is not None:
        rows.write(report)
        output.say("report", str(report))
    return dataset


def _print_summary(summary: DatasetSummary) -> None:
    """All there is to say of a data set."""
    low, high = summary.scale
    facts = {
        "from": summary.origin,
        "ratings": f"{summary.ratings:,}, {low:g} to {high:g}, mean {summary.mean:.2f}",
        "users": f"{summary.users:,}",
        "movies": f"{summary.items:,}, {summary.rated_items:,} of them rated",
        "density": f"{summary.density:.2%}",
        "times": f"{summary.first} to {summary.last}" if summary.first else "none",
    }
    output.print_pairs(("what", "value"), facts, summary.name)
    output.print_counts("stars", summary.histogram, "\nratings")
    output.print_counts("genre", summary.genres, "\ngenres")
    shares = {name: f"{share:.1%}" for name, share in summary.shares.items()}
    output.print_pairs(("what", "share"), shares, "\nknown of the movies", right=True)
    twins = {title: ", ".join(ids) for title, ids in summary.twins.items()}
    if twins:
        output.print_pairs(("film", "ids"), twins, "\nfilms that are listed more than once")


def _print_split(summary: SplitSummary) -> None:
    """The sizes of the parts."""
    heads = ("ratings", "users", "movies")
    rows = [
        (name, f"{part.ratings:,}", f"{part.users:,}", f"{part.items:,}")
        for name, part in summary.parts.items()
    ]
    output.print_rows(("part", *heads), rows, f"{summary.name}, seed {summary.seed}", heads)
    others = {
        "users without test": f"{summary.users_without_test:,}",
        "cold movies, test": f"{summary.cold_items:,}",
        "cold movies, valid": f"{summary.cold_valid_items:,}",
        "fingerprint": summary.fingerprint,
    }
    output.print_pairs(("what", "value"), others, "\nand")


add_verb(app, "describe", describe, "recsys data describe ml-100k --format json")
add_verb(app, "validate", validate, "recsys data validate --data my-ratings --report bad.csv")
add_verb(app, "split", split, "recsys data split ro --seed 2020 --out splits/ro")
add_verb(app, "fetch", fetch, "recsys data fetch ml-1m")
add_verb(app, "tmdb", tmdb.tmdb, tmdb.EXAMPLE)
