"""The losses of the joint model, each a mean over the examples of a batch.

Legend: B users of a batch, I movies, N rated pairs, K levels of a rating, M movies of a movie-level
task, G genres.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.queries.rating_levels import RatingLevels

_CLOSED = -1e9  # finite, so that 0 · log p stays 0 and gradients stay finite
_OPEN_END = 1e30  # stars; beyond every threshold, and finite for the same reason
_NO_WIDTH = -1e-300  # log Φ below and above a level whose thresholds have met


def ranking_loss(scores: Tensor, positive: Tensor, candidates: Tensor) -> Tensor:
    """Multinomial cross-entropy of the positives among the candidates.

    ``−1/B Σ_u 1/|P_u| Σ_{i∈P_u} log softmax(s_u)_i`` (Liang et al., WWW 2018, eq. 2, each user's
    positives averaged).

    Args:
        scores: (B, I).
        positive: (B, I) 1 where the user interacted; candidates only.
        candidates: (B, I) bool, what the softmax runs over.
    """
    log_p = functional.log_softmax(scores.masked_fill(~candidates, _CLOSED), dim=1)
    per_user = (positive * log_p).sum(dim=1) / positive.sum(dim=1).clamp(min=1)
    return -per_user.mean()


def distillation_loss(
    scores: Tensor, teacher: Tensor, candidates: Tensor, temperature: float
) -> Tensor:
    """KL divergence from the teacher's ranking to the student's, times the temperature squared.

    ``T² · KL(softmax(t/T) ‖ softmax(s/T))`` (Hinton et al. 2015), with each user's teacher scores
    divided by their standard deviation, so that every user's preferences are equally sharp.

    Args:
        scores: (B, I) of the student.
        teacher: (B, I) scores of the same histories.
        candidates: (B, I) bool.
        temperature: T.
    """
    spread = teacher.std(dim=1, keepdim=True).clamp(min=1e-6)
    target = (teacher / spread / temperature).masked_fill(~candidates, _CLOSED)
    student = (scores / temperature).masked_fill(~candidates, _CLOSED)
    divergence = functional.kl_div(
        functional.log_softmax(student, dim=1),
        functional.log_softmax(target, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return divergence * temperature**2


def rating_loss(mean: Tensor, log_variance: Tensor, rating: Tensor) -> Tensor:
    """Gaussian negative log-likelihood without its constant, over N pairs.

    ``½ (r − μ)² e^{−v} + ½ v`` with v the log variance (Nix & Weigend 1994).
    """
    return (0.5 * ((rating - mean) ** 2 * torch.exp(-log_variance) + log_variance)).mean()


def ordinal_loss(
    mean: Tensor, log_variance: Tensor, level_index: Tensor, thresholds: Tensor
) -> Tensor:
    """Negative log-likelihood of N levels under a cumulative probit with its own spread a pair.

    ``−log [Φ((τ_k − η)/σ) − Φ((τ_{k−1} − η)/σ)]``, open at both ends (McKelvey & Zavoina 1975).
    Intervals right of η are mirrored to its left, where log Φ keeps its digits, and the difference
    is taken of logarithms; double precision keeps the gradient finite where squares of a distance
    would leave single precision.

    Args:
        mean: (N,) η, latent stars.
        log_variance: (N,) log σ².
        level_index: (N,) int64 in 0 … K−1.
        thresholds: (K−1,) τ, ascending.
    """
    edges = functional.pad(thresholds.double(), (1, 1), value=_OPEN_END)
    edges = torch.cat([-edges[:1], edges[1:]])
    location, precision = mean.double(), torch.exp(-0.5 * log_variance.double())
    low = (edges[level_index] - location) * precision
    high = (edges[level_index + 1] - location) * precision
    mirrored = low + high > 0
    lower, upper = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    above = _log_ndtr(upper)
    step = (_log_ndtr(lower) - above).clamp(max=_NO_WIDTH)
    loss: Tensor = -(above + torch.log(-torch.expm1(step))).mean()
    return loss.to(mean.dtype)


def _log_ndtr(x: Tensor) -> Tensor:
    """Logarithm of Φ; the gradient of torch's own loses digits left of −100, then overflows."""
    left, right = x.clamp(max=0), x.clamp(min=0)
    below = torch.log(torch.special.erfcx(-left * math.sqrt(0.5)) / 2) - left**2 / 2
    above = torch.log1p(-torch.special.erfc(right * math.sqrt(0.5)) / 2)
    return torch.where(x < 0, below, above)


def audience_loss(
    mean: Tensor, log_variance: Tensor, log_vote_variance: Tensor, average: Tensor, votes: Tensor
) -> Tensor:
    """Gaussian negative log-likelihood, without its constant, of what M movies score with everyone.

    ``r̄_i ~ N(μ_i, e^{v_i} + e^w / n_i)``: the mean of n votes scatters by e^w / n around what the
    movie deserves, which itself is known up to e^v. So thousands of votes bind the prediction
    closely and ten hardly do, as studies do in a random-effects meta-analysis (DerSimonian & Laird
    1986), with both variances learnt.

    Args:
        mean: (M,) μ.
        log_variance: (M,) v.
        log_vote_variance: w, one number.
        average: (M,) r̄; not read where there is no vote.
        votes: (M,) n; a movie without votes takes no part.
    """
    voted = votes > 0
    scatter = log_vote_variance - votes.to(mean).clamp(min=1).log()
    total = torch.logaddexp(log_variance, scatter)
    error = torch.where(voted, average - mean, 0)
    each = 0.5 * (error**2 * torch.exp(-total) + total)
    return (each * voted).sum() / voted.sum().clamp(min=1)


def genre_loss(logits: Tensor, genres: Tensor) -> Tensor:
    """Binary cross-entropy over (M, G) labels."""
    return functional.binary_cross_entropy_with_logits(logits, genres)


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
