"""Contrastive pre-training: the code of a movie's plot is pulled to that of its own metadata.

A stage before joint training. It changes what turns two modalities into codes, in place, and
nothing else. Whether it generalises is measured on films it never saw: how often a plot finds its
own metadata. Legend: I movies.
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

from recsys.config.experiment import AlignmentConfig
from recsys.errors import ConfigError, DataError
from recsys.recommenders.joint.training.code_retrieval import (
    chance_metrics,
    own_ranks,
    retrieval_metrics,
)
from recsys.recommenders.joint.training.contrast import Codes, contrast, unit
from recsys.recommenders.joint.weights import generator
from recsys.seeding import seed_for

_DECIMALS = 4  # to which the initial codes of equal features agree


@dataclass(frozen=True)
class AlignmentReport:
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
    tower: Codes, config: AlignmentConfig, groups: NDArray[np.integer[Any]], seed: int
) -> AlignmentReport:
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
        kin = _kin(tower, config, movies)
        before, chance = _measure(tower, config, movies)
        losses = tuple(contrast(tower, config, movies.train, kin, seed))
        after, _ = _measure(tower, config, movies)
    sizes = len(movies.train), len(movies.held_out)
    return AlignmentReport(config.anchor, config.target, *sizes, losses, before, after, chance)


def _require_two_modalities(tower: Codes, config: AlignmentConfig) -> None:
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
    tower: Codes, config: AlignmentConfig, groups: NDArray[np.integer[Any]], seed: int
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
def _kin(tower: Codes, config: AlignmentConfig, movies: _Movies) -> Tensor:
    """(I, 3) labels: its film, those of equal anchor features and those of equal target features.

    Equal features have equal codes, which no training tells apart.
    """
    tower.train(False)
    alike = [
        torch.unique(tower.code(name).round(decimals=_DECIMALS), dim=0, return_inverse=True)[1]
        for name in (config.anchor, config.target)
    ]
    return torch.stack([movies.films, *alike], dim=1)


@torch.no_grad()
def _measure(
    tower: Codes, config: AlignmentConfig, movies: _Movies
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
def _own_streams(tower: Codes, seed: int) -> Iterator[None]:
    """Dropout draws from a stream of this stage; torch and the tower's mode are restored after."""
    device, was_training = tower.warm.device, tower.training
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed_for(seed, "alignment/dropout"))
        try:
            yield
        finally:
            tower.train(was_training)
