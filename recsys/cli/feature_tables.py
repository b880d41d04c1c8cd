"""Extractions, coverage and alignment, as tables and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recsys.cli import output

if TYPE_CHECKING:
    from recsys.data.coverage import Coverage
    from recsys.data.dataset import Dataset
    from recsys.features.alignment import ImportReport
    from recsys.features.extract import Extraction
    from recsys.features.report import ModalityCoverage

_SHARES = {"by_movies", "by_ratings"}
_TITLES = {"present": "movies", "reused": "known", "name": "modality", "zero_rows": "all-zero"}


def size_of(dataset: Dataset) -> dict[str, Any]:
    """What every document about features begins with."""
    sizes = {"movies": len(dataset.catalogue), "ratings": len(dataset.interactions)}
    return {"dataset": dataset.name, **sizes}


def extraction_document(dataset: Dataset, extraction: Extraction) -> dict[str, Any]:
    """Everything but the single files."""
    return {
        **size_of(dataset),
        "modalities": _modalities(dataset, extraction),
        "files": {job.modality: job.counts for job in extraction.files},
        "facts": [report.to_dict() for report in extraction.facts],
        "imports": [report.to_dict() for report in extraction.imports],
    }


def _modalities(dataset: Dataset, extraction: Extraction) -> list[dict[str, Any]]:
    from recsys.data.coverage import share_of_ratings

    counts, tables = dataset.interactions.item_counts(), extraction.catalogue.modalities
    return [
        {
            "modality": (name := report.modality),
            "encoder": report.card.name,
            "revision": report.card.revision,
            "dim": report.card.dim,
            "present": report.present,
            "by_movies": report.coverage,
            "by_ratings": share_of_ratings(tables[name].present, counts) if name in tables else 0.0,
            "encoded": report.encoded,
            "reused": report.reused,
            "failed": report.failed,
            "seconds": round(report.seconds, 3),
        }
        for report in extraction.reports
    ]


def print_extraction(dataset: Dataset, extraction: Extraction) -> None:
    """A row a modality, then the statuses of files."""
    numbers = ("present", "by_movies", "by_ratings", "encoded", "reused", "failed", "seconds")
    columns = ("modality", *numbers, "encoder")
    _print(columns, _modalities(dataset, extraction), _title(dataset))
    for alignment in extraction.imports:
        print_alignment(alignment, "\n")
    statuses = [
        {"files": job.modality, "status": status.value, "count": count}
        for job in extraction.files
        for status, count in job.counts.items()
    ]
    if statuses:
        _print(("files", "status", "count"), statuses, "\nfiles")


def print_coverage(
    dataset: Dataset, facts: Iterable[Coverage], modalities: Sequence[ModalityCoverage]
) -> None:
    """A table of facts and one of modalities."""
    shares = ("present", "by_movies", "by_ratings")
    named = [{**fact.to_dict(), "fact": fact.name} for fact in facts]
    _print(("fact", *shares), named, _title(dataset))
    more = ("dim", "zero_rows", "constant_columns", "encoder")
    _print(("name", *shares, *more), [found.to_dict() for found in modalities], "\nmodalities")


def print_alignment(report: ImportReport, before: str = "") -> None:
    """What became of the rows of a source."""
    rated = "" if report.by_ratings is None else f"{report.by_ratings:.1%}"
    title = (
        f"{before}{report.modality} from {report.origin}: {report.used:,} of {report.rows:,} rows "
        f"used; {report.present:,} movies: {report.by_movies:.1%} of the movies, {rated} of the "
        "ratings"
    )
    rows = [
        {**vars(found), "left_out": found.removed, "such_as": "; ".join(found.examples)}
        for found in report.findings
    ]
    none = {"fault": "none", "count": 0, "left_out": 0}
    _print(("fault", "count", "left_out", "choice", "such_as"), rows or [none], title)


def _print(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Values under columns: shares in per cent, counts with commas, text as it is."""
    heads = [_TITLES.get(name, name.replace("_", " ")) for name in columns]
    numbers = {name for name in columns if all(isinstance(r.get(name), int | float) for r in rows)}
    right = [head for name, head in zip(columns, heads, strict=True) if name in numbers | _SHARES]
    cells = ([_cell(name, row.get(name)) for name in columns] for row in rows)
    output.print_rows(heads, cells, title, right)


def _cell(name: str, value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1%}" if name in _SHARES else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _title(dataset: Dataset) -> str:
    ratings = f"{len(dataset.interactions):,} ratings"
    return f"{dataset.name}: {len(dataset.catalogue):,} movies, {ratings}"
