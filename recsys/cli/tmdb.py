"""``recsys data tmdb``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import output
from recsys.cli.options import DataOption, DocumentFormatOption, SetOption, option
from recsys.cli.output import DocumentFormat
from recsys.cli.train import ConfigOption, resolved
from recsys.errors import OfflineError

if TYPE_CHECKING:
    from recsys.config.experiment import ExperimentConfig
    from recsys.data.tmdb.store import FetchReport, MovieStore

EXAMPLE: Final = "recsys data tmdb --config my.yaml --limit 100"

LimitOption = Annotated[
    int | None,
    option(
        "--limit N", "Ask for at most so many movies that are not kept yet. Default: all.", min=1
    ),
]


def tmdb(
    *,
    config: ConfigOption = "default",
    changes: SetOption = None,
    data: DataOption = None,
    limit: LimitOption = None,
    format_: DocumentFormatOption = "table",
) -> None:
    """Fetch facts about the movies of a data set from The Movie Database.

    The key is taken from TMDB_API_KEY. Each movie is kept as soon as it is there, and a run that
    was stopped goes on where it was; 'sources.tmdb: {}' in a configuration reads what is kept.
    """
    from recsys.config.sources import TmdbConfig
    from recsys.data.tmdb.client import TmdbClient
    from recsys.data.tmdb.settings import Secret
    from recsys.data.tmdb.store import MovieStore, fetch_many

    experiment = resolved(config, changes or [], data)
    asking = experiment.sources.tmdb or TmdbConfig()
    store = MovieStore.of(asking.settings(), asking.folder)
    ids = _wanted(_tmdb_ids(experiment, data), store, limit)
    with (
        TmdbClient(Secret.from_environment(), asking.settings()) as client,
        output.progress("movies") as advance,
    ):
        report = fetch_many(client, ids, store, advance)
    output.say("kept in", str(store.folder))
    _show(report, format_)
    _complain(report)


def _tmdb_ids(experiment: ExperimentConfig, data: Path | None) -> list[str]:
    from recsys.data.sources import open_dataset
    from recsys.features.sources import movie_ids, require_ids

    with output.busy("reading"):
        dataset = open_dataset(experiment.data.name, data, experiment.data.on_bad_row)
        found = movie_ids(dataset.catalogue, dataset.name, experiment.sources)
        known = require_ids(found, dataset.name).ids
    items = [item for item in dataset.catalogue.items if item in known and known[item].tmdb]
    size = len(dataset.catalogue)
    output.say("movies", f"{len(items):,} of the {size:,} of {dataset.name} have a TMDB id")
    return [known[item].tmdb for item in items]


def _wanted(ids: list[str], store: MovieStore, limit: int | None) -> list[str]:
    """All that are kept, and at most ``limit`` others."""
    if limit is None:
        return ids
    new = [id_ for id_ in dict.fromkeys(ids) if store.get(id_) is None]
    left_out = set(new[limit:])
    return [id_ for id_ in ids if id_ not in left_out]


def _show(report: FetchReport, format_: DocumentFormat) -> None:
    counts = {
        "fetched": report.fetched,
        "kept before": report.kept,
        "not at TMDB": len(report.not_found),
        "failed": len(report.failed),
        "not asked for": report.remaining,
        "total": report.total,
    }
    if format_ == "json":
        names = {name.replace(" ", "_").lower(): count for name, count in counts.items()}
        listed = {"not_found": report.not_found, "failures": report.failed}
        output.print_json({**names, **listed, "stopped": report.stopped})
        return
    output.print_counts("movies", counts, "")


def _complain(report: FetchReport) -> None:
    """Raise what stopped the run; single failures are only noted, the next run asks again."""
    for id_, why in list(report.failed.items())[:5]:
        output.note(f"{id_}: {why}")
    if report.stopped:
        raise OfflineError(
            report.stopped,
            hint="what was fetched is kept: run the command again to ask for the rest",
        )
