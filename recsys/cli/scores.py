"""What was measured, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from recsys.cli import output

if TYPE_CHECKING:
    from recsys.evaluation.report import EvaluationDocument, ResultRow, ResultsDocument

_NAMES: Final = {
    **{name: name.upper() for name in ("rmse", "mae", "ndcg", "mrr", "map")},
    "weighted_rmse": "RMSE, by votes",
    "spearman": "Spearman",
    "coverage_80": "coverage of 80 %",
    "level_nll": "NLL of the levels",
    "pit_80": "covered by 80 % (PIT)",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "macro_roc_auc": "macro ROC-AUC",
}

_UNCERTAINTY: Final = ("level_nll", "pit_80")


def print_evaluation(evaluation: EvaluationDocument) -> None:
    """All that was measured of one model."""
    split = evaluation.split
    seed = "" if split.seed is None else f", seed {split.seed}"
    title = f"{evaluation.model} on the test part of split {split.name}{seed}"
    shown = {name: f"{value:.4f}" for name, value in _single(evaluation).items()}
    output.print_pairs(("stars and genres", "value"), shown, title, right=True)
    users = f"mean over {evaluation.n_users:,} users"
    if evaluation.overall is None:
        _print_ranking(f"ranking of all unseen movies, {users}", evaluation.ranking)
    else:
        _print_ranking(f"ranking of the cold movies alone, {users}", evaluation.ranking)
        _print_ranking(f"ranking of all unseen movies, {users}", evaluation.overall)


def _single(evaluation: EvaluationDocument) -> dict[str, float]:
    """Figures that are no ranking, as they are called in a table; the rest are in the document."""
    stars = evaluation.rating.model_dump() if evaluation.rating else {}
    uncertainty = evaluation.uncertainty or {}
    stars |= {name: uncertainty[name] for name in _UNCERTAINTY if name in uncertainty}
    named = {_NAMES.get(k, k): v for k, v in (stars | (evaluation.genre or {})).items()}
    audience = evaluation.audience or {}
    return named | {f"audience {_NAMES.get(k, k)}": v for k, v in audience.items()}


def _print_ranking(title: str, metrics: Mapping[str, float]) -> None:
    by_name: dict[str, dict[str, str]] = {}
    for key, value in metrics.items():
        name, _, k = key.partition("@")
        by_name.setdefault(name, {})[f"@{k}"] = f"{value:.4f}"
    heads = list(dict.fromkeys(k for values in by_name.values() for k in values))
    rows = ((_title(name), *(values.get(k, "") for k in heads)) for name, values in by_name.items())
    output.print_rows(("metric", *heads), rows, f"\n{title}", heads)


def _title(metric: str) -> str:
    return _NAMES.get(metric, metric.capitalize())


def print_comparison(results: ResultsDocument) -> None:
    """Models side by side, a dash where one has no such figure."""
    columns, split = _columns(results), results.split
    heads = [head for head, _ in columns.values()]
    rows = (
        (row.model, *(_figure(row, path, digits) for path, (_, digits) in columns.items()))
        for row in results.rows
    )
    title = f"test part of split {split.name}, seed {split.seed}"
    output.print_rows(("model", *heads), rows, title, heads)


def _figure(row: ResultRow, path: str, digits: int) -> str:
    part, _, name = path.partition(".")
    value = (row.model_dump()[part] or {}).get(name)
    return "–" if value is None else f"{value:.{digits}f}"


def _columns(results: ResultsDocument) -> dict[str, tuple[str, int]]:
    """Where a figure stands in a row, to its heading and how many decimals it has."""
    cutoffs = [key.partition("@")[2] for row in results.rows for key in row.ranking or ()]
    k = "10" if "10" in cutoffs or not cutoffs else cutoffs[0]
    found = {"rating.rmse": ("RMSE", 4), "rating.mae": ("MAE", 4)}
    for name in ("ndcg", "recall", "hit"):
        found[f"ranking.{name}@{k}"] = f"{_title(name)}@{k}", 4
    if any(row.overall for row in results.rows):
        found[f"overall.ndcg@{k}"] = f"NDCG@{k}, all movies", 4
    if any(row.genre for row in results.rows):
        found["genre.macro_roc_auc"] = "genre AUC", 3
    return found | {"seconds.fit": ("fit s", 2), "seconds.score": ("score s", 2)}
