"""What a user gets of whom nothing is known.

Legend: Q queries, I items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.interactions import Interactions
from recsys.evaluation.blocks import Scorer
from recsys.models.recommender import Query


@dataclass(frozen=True)
class Welcoming:
    """A model that recommends what is popular where it has nothing to say.

    Most models score all movies alike for a user without a history. Ties go to the lower row, which
    would make the order of a file their answer; whoever runs such a model falls back on popularity.

    Attributes:
        model: that is asked.
        counts: (I,) training ratings of each movie.
    """

    model: Scorer
    counts: NDArray[np.integer[Any]]

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) the model's scores, or ``counts`` where these are all equal for a stranger."""
        scores = self.model.score(query)
        blank = strangers(query)
        blank[blank] = (scores[blank] == scores[blank, :1]).all(axis=1)
        if blank.any():
            scores = np.where(blank[:, None], self.counts, scores).astype(np.float32)
        return scores


def welcoming(model: Any, train: Interactions) -> Welcoming:
    """A recommender with popularity to fall back on."""
    return Welcoming(model, train.item_counts())


def strangers(query: Query) -> NDArray[np.bool_]:
    """(Q,) whose history is empty."""
    return np.asarray(np.diff(query.histories.indptr) == 0)
