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
ModalitiesOption = Annotated[
    str | None,
    typer.Option(
        "--modalities",
        metavar="A,B",
        help="Measure the model as if its movies had these modalities alone, such as "
        "'text,poster'. Nothing is trained again; the features are read or encoded.",
        show_default=False,
    ),
]
SubsetsOption = Annotated[
    bool,
    typer.Option(
        "--subsets",
        help="Measure the model with every subset of its modalities, from none to all.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Where to write the report, a JSON file with every figure. With --baselines it is "
        "BUNDLE.results.json unless told, with --subsets BUNDLE.subsets.json.",
        show_default=False,
    ),
]


def evaluate(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    data: DataOption = None,
    baselines: BaselinesOption = False,
    modalities: ModalitiesOption = None,
    subsets: SubsetsOption = False,
    out: ReportOption = None,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Measure a bundle, perhaps beside baselines.

    It is measured on the test part of the split it was trained on, which is rebuilt from the data
    and must be the very one. JSON is the evaluation of the bundle alone, or, with --modalities, of
    those; baselines and subsets are in the report. Give one of --baselines, --modalities and
    --subsets at a time.
    """
    _require_one_kind(baselines, modalities, subsets)
    serving.require_bundle(bundle)
    from recsys.experiment.evaluate import ServedExperiment, document_of, limited_threads

    with output.busy("reading the data"):
        served = ServedExperiment.open(bundle, data)
    with limited_threads(served.config.training.threads):
        if subsets or modalities is not None:
            rows = _without_some(served, modalities, every=subsets)
        else:
            rows = _judged(served, baselines)
    usual = ".subsets.json" if subsets else ".results.json" if baselines else None
    report = out or (beside(bundle, usual) if usual else None)
    if report is not None:
        _write(served, rows, report)
    if format_ is DocumentFormat.JSON:
        whole = rows[-1] if subsets else rows[0]
        output.print_json(document_of(whole, served.material.split).model_dump(mode="json"))
    elif len(rows) > 1 and report is not None:
        _print_report(report)
    else:
        scores.print_evaluation(document_of(rows[0], served.material.split))


def _require_one_kind(baselines: bool, modalities: str | None, subsets: bool) -> None:
    from recsys.errors import ConfigError

    kinds = {
        "--baselines": baselines,
        "--modalities": modalities is not None,
        "--subsets": subsets,
    }
    given = [name for name, asked in kinds.items() if asked]
    if len(given) > 1:
        raise ConfigError(
            f"{' and '.join(given)} do not go together",
            hint="run the program once with each; every kind has a report of its own",
        )


def _judged(served: ServedExperiment, baselines: bool) -> list[ResultRow]:
    from recsys.experiment.evaluate import DEMO_BASELINES, fit_baseline

    rows = [_judge(served.candidate(), served)]
    for name in DEMO_BASELINES if baselines else ():
        with output.busy(f"fitting {name}"):
            candidate = fit_baseline(name, served.material)
        rows.append(_judge(candidate, served))
    return rows


def _without_some(
    served: ServedExperiment, modalities: str | None, *, every: bool
) -> list[ResultRow]:
    from recsys.experiment.subsets import judge_subset, require_modalities, subsets

    tower = served.engine.bundle.contents.tower
    named = _names(modalities or "")
    require_modalities(tower, named)  # refused before any work
    with output.busy("reading and encoding features"):
        material = served.with_features()
    chosen = list(subsets(tower.modalities)) if every else [named]
    rows = []
    for kept in chosen:
        with output.busy(f"judging {' + '.join(kept) or 'no modality'}"):
            rows.append(judge_subset(served.engine.model, tower, material, kept))
    return rows


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


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
