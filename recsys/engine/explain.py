"""Why a movie has its score: the exact sum of what each liked movie contributes."""

from __future__ import annotations

from typing import Final

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.engine.results import Because
from recsys.queries.query import Query
from recsys.recommenders.joint.embedding_model import EmbeddingModel

ITSELF: Final = "(the movie itself)"
OTHERS: Final = "(all other liked movies)"


def because_of(
    model: EmbeddingModel,
    catalogue: Catalogue,
    person: Query,
    item: int,
    keep: int | None = None,
) -> list[Because]:
    """The addends of one score: liked movies by falling share, then the rest, then the bias.

    Args:
        model: that gave the score.
        catalogue: the movies' names.
        person: whose score is explained, alone.
        item: row of the movie that is explained.
        keep: how many liked movies are named; the others become one entry, so that the sum stays.
            All by default.
    """
    rows, shares, bias = model.shares(person, item)
    order = np.argsort(-shares, kind="stable")
    named, rest = order[:keep], order[len(order[:keep]) :]
    found = [
        Because(
            item=catalogue.items.id(int(rows[p])),
            title=catalogue.display_title(int(rows[p])),
            share=float(shares[p]),
        )
        for p in named
    ]
    if len(rest):
        merged = float(shares[rest].sum(dtype=np.float64))
        found.append(Because(item=None, title=OTHERS, share=merged))
    return [*found, Because(item=None, title=ITSELF, share=bias)]
