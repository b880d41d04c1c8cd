"""How well the genres of movies are recognised.

Legend: I items, G genres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError
from recsys.evaluation.metrics import Floats, f1, roc_auc

THRESHOLD = 0.5
"""A genre is predicted where its probability is at least this."""


@dataclass(frozen=True)
class GenreResult:
    """Multi-label quality over the movies that were evaluated.

    Attributes:
        n_items: how many movies were evaluated.
        f1: (G,) F1 of each genre; 0 for one that nobody has and nobody predicted.
        auc: (G,) ROC-AUC of each genre; NaN where all movies have it or none has.
        micro_f1: F1 of all labels of all movies pooled.
    """

    n_items: int
    f1: Floats
    auc: Floats
    micro_f1: float

    @property
    def macro_f1(self) -> float:
        """Mean F1 of all G genres."""
        return float(self.f1.mean())

    @property
    def n_auc(self) -> int:
        """How many genres have both classes, and so an AUC."""
        return int(np.isfinite(self.auc).sum())

    def summary(self) -> dict[str, float]:
        """Every figure by name; macro ROC-AUC, over ``n_auc`` genres, only if there is one."""
        found = {"macro_f1": self.macro_f1, "micro_f1": self.micro_f1}
        return found | ({"macro_roc_auc": float(np.nanmean(self.auc))} if self.n_auc else {})


def evaluate_genres(
    probabilities: NDArray[np.floating[Any]], truth: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> GenreResult:
    """Compare predicted genre probabilities with the genres movies have.

    Args:
        probabilities: (I, G) between 0 and 1.
        truth: (I, G) whether a movie has a genre.
        mask: (I,) the movies to evaluate: held out, and with known genres.

    Raises:
        DataError: shapes disagree, no movie is left, or a probability is not one.
    """
    truth = np.asarray(truth, dtype=bool)
    if probabilities.shape != truth.shape or mask.shape != truth.shape[:1] or truth.ndim != 2:
        raise DataError(
            f"probabilities {probabilities.shape}, truth {truth.shape}, mask {mask.shape}",
            hint="both tables are (items, genres), the mask is (items,)",
        )
    rows = np.flatnonzero(mask)
    if not len(rows) or not truth.shape[1]:
        raise DataError(
            f"{len(rows)} movies with {truth.shape[1]} genres leave nothing to evaluate"
        )
    probabilities, truth = probabilities[rows], truth[rows]
    bad = ~((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    if bad.any():
        named = [f"item row {row}" for row in rows[bad]]
        raise DataError("genre probabilities are not in 0 … 1", rows=named)
    predicted = probabilities >= THRESHOLD
    columns = zip(probabilities.T, truth.T, strict=True)
    return GenreResult(
        n_items=len(rows),
        f1=f1(predicted, truth),
        auc=np.array([roc_auc(scores, has) for scores, has in columns]),
        micro_f1=float(f1(predicted.reshape(-1, 1), truth.reshape(-1, 1))[0]),
    )
