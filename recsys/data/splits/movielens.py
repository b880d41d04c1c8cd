"""The five folds that come with MovieLens-100K, rebuilt from the order of its ratings."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.splits.parts import TEST, Parts, Request
from recsys.errors import DataError

U_DATA_ROWS: Final = 100_000
U_DATA_SHA256: Final = "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"
"""SHA-256 of the archive's file ``u.data``."""

FOLD_ROWS: Final = 20_000


def canonical_fold(request: Request) -> Parts:
    """Fold k: test is rows (k-1)·20000 … k·20000 of ``u.data``, the same for every seed.

    The archive's ``uk.base`` is everything else; a random ``valid_percent`` of it, drawn with the
    seed, validates.

    Raises:
        DataError: these are not the ratings of ``u.data``, complete and in order.
    """
    _require_u_data(request.interactions)
    row = np.arange(U_DATA_ROWS)
    base = row // FOLD_ROWS != request.spec.params["fold"] - 1
    n = int(base.sum())
    parts = np.full(U_DATA_ROWS, TEST, dtype=np.int8)
    parts[base] = request.deal(n, valid=request.share(n, "valid_percent"), test=0)
    return parts


def _require_u_data(interactions: Interactions) -> None:
    same = len(interactions) == U_DATA_ROWS and interactions.time is not None
    if not same or _sha256_as_u_data(interactions) != U_DATA_SHA256:
        raise DataError(
            "u1 … u5 are the folds of MovieLens-100K, 20,000 consecutive rows of its file u.data "
            f"each; these {len(interactions)} ratings are not that file's",
            hint="use all 100,000 ratings of u.data, times included, in the file's order; or a "
            "split that any ratings have, such as random-90-10",
        )


def _sha256_as_u_data(interactions: Interactions) -> str:
    users, items = interactions.users.ids, interactions.items.ids
    columns = (interactions.user, interactions.item, interactions.rating, interactions.time)
    rows = zip(*(c.tolist() for c in columns if c is not None), strict=True)
    text = "".join(f"{users[u]}\t{items[i]}\t{rating:g}\t{time}\n" for u, i, rating, time in rows)
    return hashlib.sha256(text.encode()).hexdigest()
