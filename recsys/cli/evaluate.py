"""``recsys evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recsys.cli import output, scores, serving
from recsys.cli.options import DEFAULT_BUNDLE, BundleOption, DataOption, DocumentFormatOption
from recsys.cli.output import DocumentFormat, say
from recsys.cli.train import beside

if TYPE_CHECKING:
    from recsys.evaluation.report import ResultRow
    from recsys.experiment.evaluate import Candidate, ServedExperiment

EXAMPLE: Final = "recsys evaluate --bundle runs/ro --baselines"

BaselinesOption = Annotated[
    bool,
    typer.Option(
        "--baselines",
        help="Fit popularity, a bias model, item-kNN and EASE on the same split and put them "
        "beside the model.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Where to write the report, a JSON file with every figure. With --baselines it is "
        "BUNDLE.results.json unless told.",
        show_default=False,
    ),
]


def evaluate(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    data: DataOption = None,
    baselines: BaselinesOption = False,
    out: ReportOption = None,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Measure a bundle, perhaps beside baselines.

    It is measured on the test part of the split it was trained on, which is rebuilt from the data
    and must be the very one. JSON is the evaluation of the bundle alone; baselines are in the
    report.
    """
    serving.require_bundle(bundle)
    from recsys.experiment.evaluate import ServedExperiment, document_of, limited_threads

    with output.busy("reading the data"):
        served = ServedExperiment.open(bundle, data)
    with limited_threads(served.config.training.threads):
        rows = _judged(served, baselines)
    report = out or (beside(bundle, ".results.json") if baselines else None)
    if report is not None:
        _write(served, rows, report)
    if format_ is DocumentFormat.JSON:
        output.print_json(document_of(rows[0], served.material.split).model_dump(mode="json"))
    elif baselines and report is not None:
        _print_report(report)
    else:
        scores.print_evaluation(document_of(rows[0], served.material.split))


def _judged(served: ServedExperiment, baselines: bool) -> list[ResultRow]:
    from recsys.experiment.evaluate import DEMO_BASELINES, fit_baseline

    rows = [_judge(served.candidate(), served)]
    for name in DEMO_BASELINES if baselines else ():
        with output.busy(f"fitting {name}"):
            candidate = fit_baseline(name, served.material)
        rows.append(_judge(candidate, served))
    return rows


def _judge(candidate: Candidate, served: ServedExperiment) -> ResultRow:
    from recsys.experiment.evaluate import judge

    with output.busy(f"judging {candidate.name}"):
        return judge(candidate, served.material)


def _write(served: ServedExperiment, rows: list[ResultRow], path: Path) -> None:
    from recsys.experiment.evaluate import results_of

    results_of(rows, served.material.split, served.config).save(path)
    say("report", str(path))


def _print_report(path: Path) -> None:
    from recsys.evaluation.report import ResultsDocument

    scores.print_comparison(ResultsDocument.load(path))
