"""Extractions, coverage and alignment, as tables and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from recsys.cli import output

if TYPE_CHECKING:
    from recsys.data.coverage import Coverage
    from recsys.data.dataset import Dataset
    from recsys.features.alignment import AlignmentReport
    from recsys.features.extract import Extraction, ExtractionReport
    from recsys.features.report import ModalityCoverage


def size_of(dataset: Dataset) -> dict[str, Any]:
    """What every document about features begins with."""
    sizes = {"movies": len(dataset.catalogue), "ratings": len(dataset.interactions)}
    return {"dataset": dataset.name, **sizes}


def extraction_document(dataset: Dataset, extraction: Extraction) -> dict[str, Any]:
    """Everything but the single files."""
    files = {
        job.modality: {status.value: count for status, count in job.counts.items()}
        for job in extraction.files
    }
    return {
        **size_of(dataset),
        "modalities": [_modality(report, dataset, extraction) for report in extraction.reports],
        "files": files,
        "facts": [report.to_dict() for report in extraction.facts],
        "imports": [report.to_dict() for report in extraction.imports],
    }


def _modality(report: ExtractionReport, dataset: Dataset, extraction: Extraction) -> dict[str, Any]:
    return {
        "modality": report.modality,
        "encoder": report.card.name,
        "revision": report.card.revision,
        "dim": report.card.dim,
        "present": report.present,
        "by_movies": report.coverage,
        "by_ratings": _by_ratings(report.modality, dataset, extraction),
        "encoded": report.encoded,
        "reused": report.reused,
        "failed": report.failed,
        "seconds": round(report.seconds, 3),
    }


def _by_ratings(modality: str, dataset: Dataset, extraction: Extraction) -> float | None:
    from recsys.data.coverage import share_of_ratings

    table = extraction.catalogue.modalities.get(modality)
    return (
        0.0
        if table is None
        else share_of_ratings(table.present, dataset.interactions.item_counts())
    )


def print_extraction(dataset: Dataset, extraction: Extraction) -> None:
    """A row a modality, then the statuses of files."""
    numbers = ("movies", "by movies", "by ratings", "encoded", "known", "failed", "seconds")
    table = output.new_table("modality", *numbers, "encoder", right=numbers)
    for report in extraction.reports:
        shares = (report.coverage, _by_ratings(report.modality, dataset, extraction))
        counts = (report.encoded, report.reused, report.failed)
        table.add_row(
            report.modality,
            f"{report.present:,}",
            *map(_percent, shares),
            *(f"{count:,}" for count in counts),
            f"{report.seconds:.1f}",
            report.card.name,
        )
    output.print_table(table, _title(dataset))
    for alignment in extraction.imports:
        print_alignment(alignment, "\n")
    _print_statuses(extraction)


def _print_statuses(extraction: Extraction) -> None:
    if not extraction.files:
        return
    table = output.new_table("files", "status", "count", right=["count"])
    for job in extraction.files:
        for status, count in job.counts.items():
            table.add_row(job.modality, status.value, f"{count:,}")
    output.print_table(table, "\nfiles")


def print_coverage(
    dataset: Dataset, facts: Iterable[Coverage], modalities: Sequence[ModalityCoverage]
) -> None:
    """A table of facts and one of modalities."""
    heads = ("movies", "by movies", "by ratings")
    table = output.new_table("fact", *heads, right=heads)
    for entry in facts:
        table.add_row(entry.name, *_covered(entry))
    output.print_table(table, _title(dataset))
    more = ("dim", "all-zero", "constant columns")
    table = output.new_table("modality", *heads, *more, "encoder", right=heads + more)
    for found in modalities:
        kind = (found.dim, found.zero_rows, found.constant_columns)
        table.add_row(
            found.name, *_covered(found), *(f"{number:,}" for number in kind), found.encoder
        )
    output.print_table(table, "\nmodalities")


def print_alignment(report: AlignmentReport, before: str = "") -> None:
    """What became of the rows of a source."""
    shares = f"{report.by_movies:.1%} of the movies, {_percent(report.by_ratings)} of the ratings"
    rows = f"{report.used:,} of {report.rows:,} rows used"
    title = f"{before}{report.modality} from {report.origin}: {rows}"
    output.print_table(_findings(report), f"{title}; {report.present:,} movies: {shares}")


def _findings(report: AlignmentReport) -> Any:
    numbers = ("count", "left out")
    table = output.new_table("fault", *numbers, "choice", "such as", right=numbers)
    for finding in report.findings:
        counts = (f"{finding.count:,}", f"{finding.removed:,}")
        table.add_row(finding.fault.value, *counts, finding.choice, "; ".join(finding.examples))
    if not report.findings:
        table.add_row("none", "0", "0", "", "")
    return table


def _covered(entry: Coverage) -> tuple[str, str, str]:
    return f"{entry.present:,}", _percent(entry.by_movies), _percent(entry.by_ratings)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _title(dataset: Dataset) -> str:
    ratings = f"{len(dataset.interactions):,} ratings"
    return f"{dataset.name}: {len(dataset.catalogue):,} movies, {ratings}"
