"""The losses of the joint model, each a mean over the examples of a batch.

Legend: B users of a batch, I movies, N rated pairs, M movies of the genre task, G genres.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_CLOSED = -1e9  # finite, so that 0 · log p stays 0 and gradients stay finite


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


def genre_loss(logits: Tensor, genres: Tensor) -> Tensor:
    """Binary cross-entropy over (M, G) labels."""
    return functional.binary_cross_entropy_with_logits(logits, genres)
