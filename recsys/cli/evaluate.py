"""``recsys evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import options, output, scores
from recsys.cli.options import DEFAULT_BUNDLE, option
from recsys.cli.train import beside
from recsys.errors import ConfigError, UnsupportedError

if TYPE_CHECKING:
    from recsys.data.split import Split
    from recsys.engine import Engine
    from recsys.evaluation.report import ResultRow

BASELINES: Final = ("popularity", "bias", "item-knn", "ease")


def evaluate(
    *,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    data: options.DataOption = None,
    baselines: Annotated[
        bool, option("--baselines", "Beside popularity, bias, item-kNN and EASE on the same split.")
    ] = False,
    modalities: Annotated[
        str | None,
        option("--modalities A,B", "Measure as if movies had these modalities alone."),
    ] = None,
    subsets: Annotated[
        bool, option("--subsets", "Measure the model with every subset of its modalities.")
    ] = False,
    out: Annotated[
        Path | None,
        option("--out FILE", "Where to write the report, a JSON file with every figure."),
    ] = None,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Measure a bundle, perhaps beside baselines.

    It is measured on the test part of the split it was trained on, which is rebuilt from the data
    and must be the very one. JSON is the evaluation of the bundle alone, or, with --modalities, of
    those; baselines and subsets are in the report, which is BUNDLE.results.json or
    BUNDLE.subsets.json unless told. Give one of --baselines, --modalities and --subsets at a time.
    Without modalities the model is not trained again; the features are read or encoded.
    """
    _require_one_kind(baselines=baselines, modalities=modalities, subsets=subsets)
    from threadpoolctl import threadpool_limits

    from recsys.evaluation.report import ResultsDocument
    from recsys.workflow import document_of, open_bundle, results_of

    with output.busy("reading the data"):
        engine, split = open_bundle(bundle, data)
    with threadpool_limits(engine.contents.config.training.threads):
        if subsets or modalities is not None:
            rows = _without_some(engine, split, modalities, data, every=subsets)
        else:
            rows = _evaluated(engine, split, baselines)
    usual = ".subsets.json" if subsets else ".results.json" if baselines else None
    report = out or (beside(bundle, usual) if usual else None)
    if report is not None:
        results_of(rows, split, engine.contents.config).save(report)
        output.say("report", str(report))
    if len(rows) > 1 and report is not None and format_ == "table":
        scores.print_comparison(ResultsDocument.load(report))
    else:
        whole = document_of(rows[-1] if subsets else rows[0], split)
        output.show(whole, format_, scores.print_evaluation)


def _require_one_kind(**kinds: object) -> None:
    given = [f"--{name}" for name, asked in kinds.items() if asked not in {False, None}]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} do not go together", hint="give one at a time")


def _evaluated(engine: Engine, split: Split, baselines: bool) -> list[ResultRow]:
    from recsys.recommenders.registry import create
    from recsys.workflow import evaluate_row

    config = engine.contents.config
    with output.busy(f"evaluating {engine.label}"):
        row = evaluate_row(engine.model, split, config)
    rows = [row.model_copy(update={"model": engine.label})]
    for name in BASELINES if baselines else ():
        with output.busy(f"fitting and evaluating {name}"):
            rows.append(evaluate_row(create(name).fit(split), split, config))
    return rows


def _without_some(
    engine: Engine, split: Split, modalities: str | None, data: Path | None, *, every: bool
) -> list[ResultRow]:
    from recsys.recommenders.joint.recommender import JointRecommender, require_modalities, subsets
    from recsys.workflow import evaluate_row, with_features

    model, config = engine.model, engine.contents.config
    if not isinstance(model, JointRecommender):
        what = f"{model.name} cannot be asked without some of its modalities"
        raise UnsupportedError(what, hint="only the joint model can")
    named = tuple(filter(None, map(str.strip, (modalities or "").split(","))))
    require_modalities(model.tower, named)  # refused before any work
    with output.busy("reading and encoding features"):
        whole = with_features(split, config, data)
    rows = []
    for kept in subsets(model.tower.modalities) if every else [named]:
        name = " + ".join(sorted(kept)) or "(none)"
        with output.busy(f"evaluating {name}"):
            row = evaluate_row(model.with_modalities(whole.for_fitting(), kept), whole, config)
        rows.append(row.model_copy(update={"model": name}))
    return rows
