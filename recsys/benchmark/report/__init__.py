"""Everything that is printed about the benchmarks, made from their documents and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsys.benchmark.report import choosing, overview, protocol_page
from recsys.benchmark.report.analysis import Analysis, analyse, in_order
from recsys.benchmark.report.load import Measured, load_results
from recsys.benchmark.report.plots import plot_cost, plot_differences
from recsys.data.files import atomic_write


def write_report(results: Path, out: Path) -> list[Path]:
    """Write REPORT.md, CHOOSING.md, a page a protocol, the pictures, and the README's table.

    Args:
        results: documents, ``<protocol>/<contender>.json``.
        out: where the pages go, ``protocols/`` and ``plots/`` below it. A ``README.md`` beside this
            folder gets its table if it has markers for one.

    Returns:
        What was written.

    Raises:
        DataError: there are no documents, or they cannot be used.
        MissingExtra: matplotlib is not installed.
    """
    measured = load_results(results)
    analyses = in_order(analysis for found in measured for analysis in analyse(found))
    texts = pages(measured, analyses)
    written = [_write(out / name, text) for name, text in texts.items()]
    for analysis in analyses:
        stem = protocol_page.picture_name(analysis)
        for draw, kind in ((plot_cost, "cost"), (plot_differences, "differences")):
            path = out / "plots" / f"{stem}-{kind}.svg"
            draw(analysis, path)
            written.append(path)
    return written + _readme(out.parent / "README.md", analyses)


def pages(measured: Sequence[Measured], analyses: Sequence[Analysis]) -> dict[str, str]:
    """Every page by its path within the folder of the report."""
    texts = {
        "REPORT.md": overview.report(measured, analyses),
        "CHOOSING.md": choosing.page(analyses),
    }
    for found in measured:
        of_protocol = [a for a in analyses if a.measured is found]
        if of_protocol:
            name = f"protocols/{found.protocol}.md"
            texts[name] = protocol_page.page(found, of_protocol)
    return texts


def _write(path: Path, text: str) -> Path:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _readme(path: Path, analyses: Sequence[Analysis]) -> list[Path]:
    if not path.is_file():
        return []
    before = path.read_text(encoding="utf-8")
    after = overview.with_table(before, analyses)
    return [] if after == before else [_write(path, after)]
