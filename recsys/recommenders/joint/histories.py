"""How far each rated movie counts as liked.

Legend: Q users, I items, E ratings of all histories together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.config.experiment import UserConfig
from recsys.errors import ConfigError
from recsys.recommenders.joint.formulas import row_maxima

_DAY = 86_400  # seconds
_MOST_HALVINGS = 20.0  # to a millionth, which is lost in a mean, and is still above zero


def item_weights(counts: NDArray[np.integer[Any]], exponent: float) -> NDArray[np.float32]:
    """(I,) ``max(pop_i, 1)^−exponent``: a like for an obscure movie says more.

    The user mean is normalised, so only ratios of weights matter.

    Args:
        counts: (I,) ratings of each movie in training.
        exponent: 0 makes all movies equal.
    """
    return np.asarray(np.maximum(counts, 1.0) ** -exponent, dtype=np.float32)


def liked_weights(
    histories: sp.csr_array,
    rule: UserConfig,
    per_item: NDArray[np.float32],
    times: sp.csr_array | None = None,
) -> sp.csr_array:
    """(Q, I) weights of the user mean: zero, and not stored, for a movie that is not liked.

    Args:
        histories: (Q, I) ratings.
        rule: which ratings count, and how much.
        per_item: (I,) weight of each movie, see ``item_weights``.
        times: (Q, I) when each rating was given, see ``recsys.queries.query.Query``; without
            them all ratings are equally recent.

    Raises:
        ConfigError: the rule gives a liked movie a weight that is not positive.
    """
    lowest = 1 + rule.rating_slope * (rule.liked_min_rating - rule.rating_center)
    if lowest <= 0:
        raise ConfigError(
            f"a rating of {rule.liked_min_rating} would weigh {lowest:.2f} in the user mean",
            hint="lower user.rating_slope or raise user.liked_min_rating",
        )
    ratings = histories.data
    liked = ratings >= rule.liked_min_rating
    weight = 1 + rule.rating_slope * (ratings - rule.rating_center)
    weight = weight * per_item[histories.indices]
    if times is not None and rule.recency_half_life_days is not None:
        weight = weight * _recency(times, liked, rule.recency_half_life_days)
    data = np.where(liked, weight, 0).astype(np.float32)
    kept = data != 0
    before = np.concatenate([[0], np.cumsum(kept)])
    indptr = before[histories.indptr].astype(histories.indptr.dtype)
    return sp.csr_array((data[kept], histories.indices[kept], indptr), shape=histories.shape)


def _recency(
    times: sp.csr_array, liked: NDArray[np.bool_], half_life_days: float
) -> NDArray[np.float64]:
    """(E,) ``2^−(t − t_j)/h`` with h the half-life and t when the user last liked something.

    Only ratios of weights matter, so this is the same mean as with t the user's last rating; but
    here the latest like weighs 1, however long ago it was, and no history fades as a whole.
    """
    earliest = times.data.min(initial=0)
    latest = row_maxima(np.where(liked, times.data, earliest), times.indptr)
    halvings = (latest - times.data) / (_DAY * half_life_days)
    return np.asarray(0.5 ** halvings.clip(0, _MOST_HALVINGS))
