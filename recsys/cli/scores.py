"""What was measured, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from recsys.cli import output

if TYPE_CHECKING:
    from recsys.evaluation.report import Column, EvaluationDocument, ResultsDocument

_NAMES: Final = {
    "rmse": "RMSE",
    "mae": "MAE",
    "weighted_rmse": "RMSE, by votes",
    "spearman": "Spearman",
    "coverage_80": "coverage of 80 %",
    "level_nll": "NLL of the levels",
    "pit_80": "covered by 80 % (PIT)",
    "ndcg": "NDCG",
    "mrr": "MRR",
    "map": "MAP",
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
    for title, metrics in _rankings(evaluation).items():
        _print_ranking(f"{title}, mean over {evaluation.n_users:,} users", metrics)


def _single(evaluation: EvaluationDocument) -> dict[str, float]:
    """Figures that are no ranking, as they are called in a table; the rest are in the document."""
    stars = evaluation.rating.model_dump() if evaluation.rating else {}
    uncertainty = evaluation.uncertainty or {}
    stars |= {name: uncertainty[name] for name in _UNCERTAINTY if name in uncertainty}
    named = {_NAMES.get(k, k): v for k, v in (stars | (evaluation.genre or {})).items()}
    audience = evaluation.audience or {}
    return named | {f"audience {_NAMES.get(k, k)}": v for k, v in audience.items()}


def _rankings(evaluation: EvaluationDocument) -> dict[str, Mapping[str, float]]:
    if evaluation.overall is None:
        return {"ranking of all unseen movies": evaluation.ranking}
    return {
        "ranking of the cold movies alone": evaluation.ranking,
        "ranking of all unseen movies": evaluation.overall,
    }


def _print_ranking(title: str, metrics: Mapping[str, float]) -> None:
    by_name: dict[str, dict[str, float]] = {}
    for key, value in metrics.items():
        name, _, k = key.partition("@")
        by_name.setdefault(name, {})[k] = value
    cutoffs = list(dict.fromkeys(k for values in by_name.values() for k in values))
    heads = [f"@{k}" for k in cutoffs]
    table = output.new_table("metric", *heads, right=heads)
    for name, values in by_name.items():
        cells = (f"{values[k]:.4f}" if k in values else "" for k in cutoffs)
        table.add_row(_NAMES.get(name, name.capitalize()), *cells)
    output.print_table(table, f"\n{title}")


def print_comparison(results: ResultsDocument) -> None:
    """Models side by side."""
    from recsys.evaluation.report import as_cells

    columns = _columns(results)
    split = results.split
    titles = [column.title for column in columns]
    table = output.new_table(*titles, right=titles[1:])
    for row in as_cells(results.rows, columns):
        table.add_row(*row)
    output.print_table(table, f"test part of split {split.name}, seed {split.seed}")


def _columns(results: ResultsDocument) -> Sequence[Column]:
    from recsys.evaluation.report import Column

    measured = [row.ranking for row in results.rows if row.ranking]
    cutoffs = [key.partition("@")[2] for key in measured[0]] if measured else []
    k = "10" if "10" in cutoffs or not cutoffs else cutoffs[0]
    cold = any(row.overall for row in results.rows)
    genres = any(row.genre for row in results.rows)
    return [
        Column("model", "model"),
        Column("rating.rmse", "RMSE", 4),
        Column("rating.mae", "MAE", 4),
        *(
            Column(f"ranking.{name}@{k}", f"{_NAMES.get(name, name.capitalize())}@{k}", 4)
            for name in ("ndcg", "recall", "hit")
        ),
        *([Column(f"overall.ndcg@{k}", f"NDCG@{k}, all movies", 4)] if cold else []),
        *([Column("genre.macro_roc_auc", "genre AUC", 3)] if genres else []),
        Column("seconds.fit", "fit s", 2),
        Column("seconds.score", "score s", 2),
    ]
