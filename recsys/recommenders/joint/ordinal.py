"""Thresholds between the levels of a rating, learnt with everything else.

Legend: K levels.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.queries.rating_levels import RatingLevels


class OrdinalThresholds(nn.Module):
    """K−1 thresholds that stay in order: the first, and the softplus of each step to the next.

    They begin halfway between the levels, where latent ratings are simply rounded; see
    ``recsys.recommenders.joint.losses.ordinal_loss``.

    Args:
        values: K levels in stars, ascending.

    Raises:
        DataError: there are fewer than two levels, or they do not ascend.
    """

    def __init__(self, values: tuple[float, ...]) -> None:
        super().__init__()
        midway = torch.tensor(RatingLevels.midway(values).thresholds, dtype=torch.float32)
        steps = midway.diff()
        self.first = nn.Parameter(midway[:1].clone())
        self.raw_steps = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))  # inverse softplus
        self.register_buffer("midway", midway, persistent=False)

    def thresholds(self) -> Tensor:
        """(K−1,) τ, ascending."""
        steps = functional.softplus(self.raw_steps)
        return torch.cat([self.first, self.first + steps.cumsum(dim=0)])

    def index(self, ratings: Tensor) -> Tensor:
        """Position of the level nearest to each rating, int64 in the shape of ``ratings``."""
        return torch.bucketize(ratings, cast(Tensor, self.midway))
