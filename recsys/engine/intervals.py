"""The central interval that every answer with an uncertainty states."""

from __future__ import annotations

from statistics import NormalDist

from recsys.data.interactions import RatingScale

_HALF_WIDTH_80 = NormalDist().inv_cdf(0.9)


def interval80(mean: float, std: float, scale: RatingScale) -> tuple[float, float]:
    """What N(mean, std²) holds with probability 0.8, cut to the rating scale."""
    reach = _HALF_WIDTH_80 * std
    return max(mean - reach, scale.low), min(mean + reach, scale.high)
