"""``recsys features extract|describe|import|export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from recsys.cli import feature_files, feature_tables, output, stages
from recsys.cli.application import add_verb, new_app
from recsys.cli.options import DataOption, DocumentFormatOption, SetOption, option
from recsys.cli.train import ConfigOption, resolved

if TYPE_CHECKING:
    from recsys.features.extract import Extraction

app = new_app("Encode what movies are: texts, facts, posters, trailers, and vectors of your own.")

ReportsOption = Annotated[
    Path | None,
    option(
        "--report DIR",
        "Where to write what became of every file (MODALITY.json and .csv), of every table of "
        "facts (sources.json) and of every import (imports.json).",
    ),
]
WorkersOption = Annotated[
    int | None, option("--workers N", "Processes that encode files. Default: one a core.", min=1)
]
RehashOption = Annotated[
    bool, option("--rehash", "Read every file again instead of trusting its size and times.")
]
RetryOption = Annotated[
    bool, option("--retry-failed", "Try files again that could not be encoded before.")
]


def extract(
    *,
    config: ConfigOption = "default",
    changes: SetOption = None,
    data: DataOption = None,
    report: ReportsOption = None,
    workers: WorkersOption = None,
    rehash: RehashOption = False,
    retry_failed: RetryOption = False,
    format_: DocumentFormatOption = "table",
) -> None:
    """Encode every modality that the configuration names, and say what it came to.

    Only what is new or has changed is encoded: stop it at any time and run it again. A file that
    cannot be used is reported and does not affect the others.
    """
    jobs = {"workers": workers, "rehash": rehash, "retry_failed": retry_failed}
    given = [f"sources.jobs.{key}={json.dumps(value)}" for key, value in jobs.items() if value]
    dataset, extraction = stages.extracted(resolved(config, [*given, *(changes or [])], data), data)
    if report is not None:
        _write_reports(extraction, report)
    if format_ == "json":
        output.print_json(feature_tables.extraction_document(dataset, extraction))
    else:
        feature_tables.print_extraction(dataset, extraction)
    _note_failures(extraction)


def _write_reports(extraction: Extraction, folder: Path) -> None:
    from recsys.data.files import atomic_write_text

    for job in extraction.files:
        job.write(folder)
    for name, reports in (("sources", extraction.facts), ("imports", extraction.imports)):
        text = json.dumps([report.to_dict() for report in reports], indent=1)
        atomic_write_text(folder / f"{name}.json", text + "\n")
    output.say("reports", str(folder))


def _note_failures(extraction: Extraction) -> None:
    from recsys.features.media import FileStatus

    for job in extraction.files:
        bad = [o for o in job.outcomes if o.status not in {FileStatus.OK, FileStatus.MISSING}]
        for outcome in bad[:5]:
            output.note(f"{job.modality} of {outcome.item_id}: {outcome.status}: {outcome.what}")
        if len(bad) > 5:
            output.note(f"{job.modality}: and {len(bad) - 5:,} more files; --report DIR lists all")


def describe(
    *,
    config: ConfigOption = "default",
    changes: SetOption = None,
    data: DataOption = None,
    format_: DocumentFormatOption = "table",
) -> None:
    """Say how many movies have each fact and each modality, and how many ratings they have.

    What is not encoded yet is encoded first.
    """
    from recsys.features.report import coverage, fact_coverage

    dataset, extraction = stages.extracted(resolved(config, changes or [], data), data)
    for report in extraction.reports:
        if not report.present:
            output.note(f"no movie has {report.modality}")
    facts = fact_coverage(extraction.catalogue, dataset.interactions)
    modalities = coverage(extraction.catalogue, dataset.interactions)
    if format_ == "json":
        parts = {
            "facts": [entry.to_dict() for entry in facts],
            "modalities": [entry.to_dict() for entry in modalities],
        }
        output.print_json({**feature_tables.size_of(dataset), **parts})
    else:
        feature_tables.print_coverage(dataset, facts, modalities)


add_verb(app, "extract", extract, "recsys features extract --config my.yaml --report reports")
add_verb(app, "describe", describe, "recsys features describe --config my.yaml --format json")
add_verb(app, "import", feature_files.import_, feature_files.IMPORT_EXAMPLE)
add_verb(app, "export", feature_files.export, feature_files.EXPORT_EXAMPLE)
