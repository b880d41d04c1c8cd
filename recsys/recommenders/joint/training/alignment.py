"""Contrastive pre-training: the code of a movie's plot is pulled to that of its own metadata.

A stage before joint training. It changes what turns two modalities into codes, in place, and
nothing else. Whether it generalises is measured on films it never saw: how often a plot finds its
own metadata.

Legend: I movies, F dimensions of a code, N movies trained on, B of a batch, Q movies looked for, C
movies looked among.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer

from recsys.config.experiment import AlignmentConfig
from recsys.errors import ConfigError, DataError, RecsysError
from recsys.recommenders.joint.item_tower import ItemTower
from recsys.recommenders.joint.weights import generator
from recsys.seeding import seed_for

_DECIMALS = 4  # to which the initial codes of equal features agree
_SHORTEST = 1e-2  # a code that dropout emptied is not blown up to length one
_BLOCK = 512  # queries scored at a time
_TIE = 1e-6  # cosines closer than this cannot be told apart


@dataclass(frozen=True)
class RetrievalReport:
    """What alignment came to.

    Metrics are ``recall@1``, ``recall@10`` and ``mrr`` of a held-out movie's own target code among
    those of the held-out movies, and, under ``all/``, among those of all usable movies; none when
    no film is held out.

    Attributes:
        anchor: modality that looks.
        target: modality that is found.
        n_trained: movies trained on.
        n_held_out: movies measured on, of other films.
        losses: mean loss of each epoch.
        before: metrics of the initial codes.
        after: metrics of the trained codes.
        chance: metrics a random order is expected to reach.
    """

    anchor: str
    target: str
    n_trained: int
    n_held_out: int
    losses: tuple[float, ...]
    before: Mapping[str, float]
    after: Mapping[str, float]
    chance: Mapping[str, float]

    def summary(self) -> dict[str, float]:
        """Named values for the training log: the metrics after, before and by chance."""
        found = {"n_trained": float(self.n_trained), "n_held_out": float(self.n_held_out)}
        found |= {"loss": self.losses[-1]} if self.losses else {}
        found |= self.after
        found |= {f"{name}/before": value for name, value in self.before.items()}
        found |= {f"{name}/chance": value for name, value in self.chance.items()}
        return {f"alignment/{name}": value for name, value in found.items()}


@dataclass(frozen=True)
class _Movies:
    """Usable movies: rows to train on, rows held out, and the (I,) film of every movie."""

    train: Tensor
    held_out: Tensor
    films: Tensor


def align(
    tower: ItemTower, config: AlignmentConfig, groups: NDArray[np.integer[Any]], seed: int
) -> RetrievalReport:
    """Train the codes of two modalities in place.

    Only movies that were rated in training and have both modalities are read. No random stream but
    its own is moved, so training that follows draws what it would have drawn without.

    Args:
        tower: whose codes are trained.
        config: of the stage.
        groups: (I,) one number a film; entries of one film are held out together and are no
            negatives of each other.
        seed: root seed of what is held out, of the batches and of dropout.

    Raises:
        ConfigError: a modality is not there, or both are the same.
        DataError: fewer than two films are left to train on.
        RecsysError: the loss is no longer finite.
    """
    _require_two_modalities(tower, config)
    movies = _usable(tower, config, groups, seed)
    with _own_streams(tower, seed):
        alike = _alike(tower, config, movies)
        before, chance = _measure(tower, config, movies)
        losses = tuple(contrast(tower, config, movies.train, alike, seed))
        after, _ = _measure(tower, config, movies)
    sizes = len(movies.train), len(movies.held_out)
    return RetrievalReport(config.anchor, config.target, *sizes, losses, before, after, chance)


def _require_two_modalities(tower: ItemTower, config: AlignmentConfig) -> None:
    for key, name in (("anchor", config.anchor), ("target", config.target)):
        if name not in tower.names:
            known = ", ".join(tower.names) or "none"
            raise ConfigError(
                f"alignment.{key} is {name!r}, a modality the movies do not have",
                hint=f"there are: {known}; alignment.epochs: 0 switches alignment off",
            )
    if config.anchor == config.target:
        raise ConfigError(
            f"alignment.anchor and alignment.target are both {config.anchor!r}",
            hint="name two different modalities",
        )


def _usable(
    tower: ItemTower, config: AlignmentConfig, groups: NDArray[np.integer[Any]], seed: int
) -> _Movies:
    warm = tower.warm[:, 0] > 0
    rows = (warm & tower.present(config.anchor) & tower.present(config.target)).nonzero()[:, 0]
    films = torch.as_tensor(groups.astype(np.int64), device=rows.device)
    distinct = torch.unique(films[rows])
    n_held_out = round(config.held_out * len(distinct))
    if len(distinct) - n_held_out < 2:
        raise DataError(
            f"{len(distinct)} films rated in training have both {config.anchor} and "
            f"{config.target}, and {n_held_out} of them are held out: alignment has nothing to "
            "tell apart",
            hint="align other modalities, or switch it off with alignment.epochs: 0",
        )
    order = torch.randperm(len(distinct), generator=generator(seed, "alignment/held out"))
    held_out = torch.isin(films[rows], distinct[order[:n_held_out].to(rows.device)])
    return _Movies(rows[~held_out], rows[held_out], films)


@torch.no_grad()
def _alike(tower: ItemTower, config: AlignmentConfig, movies: _Movies) -> Tensor:
    """(I, 3) labels: its film, those of equal anchor features and those of equal target features.

    Equal features have equal codes, which no training tells apart.
    """
    tower.train(False)
    equal = [
        torch.unique(tower.code(name).round(decimals=_DECIMALS), dim=0, return_inverse=True)[1]
        for name in (config.anchor, config.target)
    ]
    return torch.stack([movies.films, *equal], dim=1)


@torch.no_grad()
def _measure(
    tower: ItemTower, config: AlignmentConfig, movies: _Movies
) -> tuple[dict[str, float], dict[str, float]]:
    """Retrieval metrics of the codes as they are, and those of chance."""
    queries = movies.held_out
    if not len(queries):
        return {}, {}
    tower.train(False)
    anchor, target = (unit(tower.code(name)) for name in (config.anchor, config.target))
    found: dict[str, float] = {}
    chance: dict[str, float] = {}
    for prefix, pool in (("", queries), ("all/", torch.cat([movies.train, queries]))):
        ranks, counts = own_ranks(anchor, target, movies.films, queries, pool)
        found |= {f"{prefix}{name}": v for name, v in retrieval_metrics(ranks).items()}
        chance |= {f"{prefix}{name}": v for name, v in chance_metrics(counts).items()}
    return found, chance


@contextmanager
def _own_streams(tower: ItemTower, seed: int) -> Iterator[None]:
    """Dropout draws from a stream of this stage; torch and the tower's mode are restored after."""
    device, was_training = tower.warm.device, tower.training
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed_for(seed, "alignment/dropout"))
        try:
            yield
        finally:
            tower.train(was_training)


def info_nce(anchor: Tensor, target: Tensor, false_negatives: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE with in-batch negatives.

    ``−½/B Σ_i [log e^{s_ii/τ} / Σ_j e^{s_ij/τ} + log e^{s_ii/τ} / Σ_j e^{s_ji/τ}]``, s the cosine:
    van den Oord et al. 2018, eq. 4, with ``f = e^{s/τ}``, averaged over both directions as in CLIP
    (Radford et al. 2021, fig. 3), at a fixed temperature τ.

    Args:
        anchor: (B, F).
        target: (B, F).
        false_negatives: (B, B) bool, pairs that are no negatives of each other; the diagonal does
            not matter.
        temperature: τ.
    """
    logits = unit(anchor) @ unit(target).T / temperature
    own = torch.arange(len(logits), device=logits.device)
    masked = false_negatives & (own[:, None] != own)
    logits = logits.masked_fill(masked, float("-inf"))
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def unit(codes: Tensor) -> Tensor:
    """Codes scaled to length one; one that is all but zero stays short."""
    return functional.normalize(codes, dim=1, eps=_SHORTEST)


def contrast(
    tower: ItemTower, config: AlignmentConfig, movies: Tensor, alike: Tensor, seed: int
) -> Iterator[float]:
    """Train the codes in place, one epoch for every mean loss that is drawn.

    Args:
        tower: whose codes are trained.
        config: which codes, and how.
        movies: (N,) rows trained on.
        alike: (I, ·) labels; two movies that share any of them are no negatives of each other.
        seed: of the batches.

    Raises:
        RecsysError: the loss is no longer finite.
    """
    rng, optimiser = generator(seed, "alignment/batches"), _optimiser(tower, config)
    tower.train()
    for _ in range(config.epochs):
        order = torch.randperm(len(movies), generator=rng).to(movies.device)
        batches = torch.split(movies[order], config.batch_size)
        total = sum(
            len(rows) * _step(tower, config, rows, alike[rows], optimiser) for rows in batches
        )
        yield total / len(movies)


def _step(
    tower: ItemTower, config: AlignmentConfig, rows: Tensor, alike: Tensor, optimiser: Optimizer
) -> float:
    false_negatives = (alike[:, None] == alike).any(dim=2)
    # One movie, or entries of one film: no negatives, so the loss is log 1.
    if false_negatives.all():
        return 0.0
    anchor, target = (
        tower.code(name, rows, config.feature_dropout) for name in (config.anchor, config.target)
    )
    loss = info_nce(anchor, target, false_negatives, config.temperature)
    if not torch.isfinite(loss):
        raise RecsysError(
            f"the loss of alignment is {loss.item()}", hint="lower alignment.learning_rate"
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.item()


def _optimiser(tower: ItemTower, config: AlignmentConfig) -> Optimizer:
    """AdamW; matrices decay, vectors do not."""
    learnt = [p for name in (config.anchor, config.target) for p in tower.code_parameters(name)]
    groups = [
        {"params": [p for p in learnt if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in learnt if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def own_ranks(
    anchor: Tensor, target: Tensor, films: Tensor, queries: Tensor, pool: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each movie's own target code comes when all are ordered by cosine to its anchor code.

    Other entries of the same film are passed over, for finding them is no mistake. A tie counts
    against, so codes that are all alike find nothing.

    Args:
        anchor: (I, F) of length one.
        target: (I, F) of length one.
        films: (I,) one number a film.
        queries: (Q,) rows looked for.
        pool: (C,) rows looked among.

    Returns:
        (Q,) the place of each movie's own code, from 1, and (Q,) how many it was looked for among.
    """
    ranks, counts = [], []
    for rows in torch.split(queries, _BLOCK):
        others = films[rows][:, None] != films[pool]
        own = (anchor[rows] * target[rows]).sum(dim=1, keepdim=True)
        ahead = anchor[rows] @ target[pool].T >= own - _TIE
        ranks.append(1 + (others & ahead).sum(dim=1))
        counts.append(1 + others.sum(dim=1))
    return torch.cat(ranks).cpu().numpy(), torch.cat(counts).cpu().numpy()


def retrieval_metrics(ranks: NDArray[np.int64]) -> dict[str, float]:
    """Recall at 1 and 10, and the mean reciprocal rank."""
    return {
        "recall@1": float((ranks <= 1).mean()),
        "recall@10": float((ranks <= 10).mean()),
        "mrr": float((1 / ranks).mean()),
    }


def chance_metrics(counts: NDArray[np.int64]) -> dict[str, float]:
    """What a random order is expected to reach: ranks uniform from 1 to each of (Q,) ``counts``."""
    harmonic = np.cumsum(1 / np.arange(1, counts.max() + 1))
    return {
        "recall@1": float((1 / counts).mean()),
        "recall@10": float(np.minimum(10 / counts, 1).mean()),
        "mrr": float((harmonic[counts - 1] / counts).mean()),
    }
