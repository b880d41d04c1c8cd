"""What a batch is worth: named parts of the joint loss.

Part of every history is the input, the rest is what must be ranked and rated, drawn anew for each
batch. Input and target never share a rating, so nothing can be copied.

Legend: U users, B users of a batch, I movies, G genres.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from recsys.config.experiment import ExperimentConfig, UserConfig
from recsys.data.interactions import Interactions
from recsys.queries.query import rated_mask
from recsys.recommenders.joint.content import Task
from recsys.recommenders.joint.formulas import item_weights, liked_weights
from recsys.recommenders.joint.item_tower import Dropout
from recsys.recommenders.joint.losses import (
    audience_loss,
    distillation_loss,
    genre_loss,
    ordinal_loss,
    ranking_loss,
    rating_loss,
)
from recsys.recommenders.joint.network import JointModel, MovieParts
from recsys.recommenders.joint.sharing import PenaltyContext
from recsys.seeding import seed_for


class Batch(NamedTuple):
    """Everything known of B users.

    Attributes:
        ratings: (B, I) stars, 0 where there is no rating.
        rated: (B, I) 1 where there is a rating.
        weights: (B, I) weight of each movie in the user mean.
    """

    ratings: Tensor
    rated: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(*(tensor.to(device) for tensor in self))


class UserBatches:
    """Users with at least two ratings, in a random order that seed and epoch alone decide.

    A user with one rating has nothing left to predict once it is their history.

    Args:
        train: the ratings.
        rule: how a history becomes a user.
        size: B, of all batches but the last.
        seed: root seed of the order.
    """

    def __init__(self, train: Interactions, rule: UserConfig, size: int, seed: int = 0) -> None:
        self.size, self.seed = size, seed
        self.ratings = train.matrix()
        self.rated = rated_mask(self.ratings)
        per_item = item_weights(train.item_counts(), rule.popularity_exponent)
        self.weights = liked_weights(self.ratings, rule, per_item)
        self.users = torch.from_numpy((train.user_counts() >= 2).nonzero()[0])

    def __len__(self) -> int:
        return math.ceil(len(self.users) / self.size)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch.

        Args:
            number: which epoch.
            start: how many batches to pass over.
        """
        rng = torch.Generator().manual_seed(seed_for(self.seed, f"batches/{number}"))
        order = self.users[torch.randperm(len(self.users), generator=rng)]
        for rows in torch.split(order, self.size)[start : len(self)]:
            parts = (m[rows.numpy()] for m in (self.ratings, self.rated, self.weights))
            yield Batch(*(torch.from_numpy(part.toarray()) for part in parts))


class Targets(NamedTuple):
    """What is learnt from beside the users of a batch.

    Attributes:
        teacher: (I, I) item weights of the closed-form teacher; not read when its weight is 0.
        genres: (I, G) float labels.
        labelled: (I,) float, 1 where a movie's labels may be learnt from.
        average: (I,) mean rating of each movie in training.
        votes: (I,) how many ratings that is the mean of.
    """

    teacher: Tensor
    genres: Tensor
    labelled: Tensor
    average: Tensor
    votes: Tensor

    def to(self, device: torch.device) -> Targets:
        """The same on another device."""
        return Targets(*(tensor.to(device) for tensor in self))


class Shown(NamedTuple):
    """A batch with part of every history held back.

    Attributes:
        batch: everything known.
        kept: (B, I) 1 where a rating, if there is one, is input.
        movies: as the model embeds them now.
    """

    batch: Batch
    kept: Tensor
    movies: MovieParts

    @property
    def rated(self) -> Tensor:
        """(B, I) 1 where a rating is input."""
        return self.batch.rated * self.kept

    @property
    def held_back(self) -> Tensor:
        """(B, I) 1 where a rating is target."""
        return self.batch.rated * (1 - self.kept)


class JointObjective:
    """The losses of all tasks, and the penalties of their sharing, over one pass over the movies.

    Args:
        config: weights, dropout rates and temperatures.
        targets: labels and teacher.
    """

    def __init__(self, config: ExperimentConfig, targets: Targets) -> None:
        self.config, self.targets = config, targets

    def __call__(self, model: JointModel, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Loss parts by name, each times its weight, without those of weight 0 or without examples.

        Args:
            model: what is trained.
            batch: users.
            progress: share of the planned steps that are done.
        """
        training = self.config.training
        kept = (torch.rand_like(batch.rated) >= training.history_dropout).to(batch.rated)
        dropout = Dropout(
            training.feature_dropout, training.modality_dropout, training.offset_dropout
        )
        shown = Shown(batch, kept, model.movies(dropout))
        parts = self._ranking(model, shown) | self._rating(model, shown)
        parts |= self._genre(shown) | self._audience(model, shown)
        return parts | self._penalties(model, shown, progress)

    def _ranking(self, model: JointModel, shown: Shown) -> dict[str, Tensor]:
        weights = self.config.losses
        if not (weights.ranking or weights.distillation):
            return {}
        # A movie without ratings would only ever be pushed down: it takes no part.
        candidates = (shown.rated == 0) & (model.tower.warm.T > 0)
        scores = model.rank(shown.movies, shown.batch.weights * shown.kept)
        parts = {}
        if weights.ranking and shown.held_back.any():
            parts["ranking"] = weights.ranking * ranking_loss(scores, shown.held_back, candidates)
        if weights.distillation:
            teacher, temperature = shown.rated @ self.targets.teacher, self.config.teacher
            loss = distillation_loss(scores, teacher, candidates, temperature.temperature)
            parts["distillation"] = weights.distillation * loss
        return parts

    def _rating(self, model: JointModel, shown: Shown) -> dict[str, Tensor]:
        target = shown.held_back.bool()
        if not self.config.losses.rating or not target.any():
            return {}
        batch = shown.batch
        eta, log_variance = model.rate(shown.movies, batch.ratings * shown.kept, shown.rated)
        eta, log_variance, stars = eta[target], log_variance[target], batch.ratings[target]
        if model.ordinal is None:
            loss = rating_loss(eta, log_variance, stars)
        else:
            loss = ordinal_loss(
                eta, log_variance, model.ordinal.index(stars), model.ordinal.thresholds()
            )
        return {"rating": self.config.losses.rating * loss}

    def _genre(self, shown: Shown) -> dict[str, Tensor]:
        labelled = self.targets.labelled > 0
        if not self.config.losses.genre or not labelled.any():
            return {}
        loss = genre_loss(shown.movies.genre_logits[labelled], self.targets.genres[labelled])
        return {"genre": self.config.losses.genre * loss}

    def _audience(self, model: JointModel, shown: Shown) -> dict[str, Tensor]:
        movies, voted = shown.movies, self.targets.votes > 0
        if not self.config.losses.audience or not voted.any():
            return {}
        loss = audience_loss(
            movies.audience_mean[voted],
            movies.audience_log_variance[voted],
            model.log_vote_variance,
            self.targets.average[voted],
            self.targets.votes[voted],
        )
        return {"audience": self.config.losses.audience * loss}

    def _penalties(self, model: JointModel, shown: Shown, progress: float) -> dict[str, Tensor]:
        examples = self._examples(shown) if model.penalties else {}
        if not examples:
            return {}
        encoded, context = shown.movies.encoded, PenaltyContext(examples, progress)
        return {
            f"penalty/{penalty.name}": penalty.weight * penalty(encoded, context)
            for penalty in model.penalties
        }

    def _examples(self, shown: Shown) -> dict[Task, Tensor]:
        """How often each task of this batch asks for each movie; without those that never ask."""
        losses, asked = self.config.losses, shown.held_back.sum(dim=0)
        found: dict[Task, Tensor] = {}
        if losses.ranking or losses.distillation:
            found["ranking"] = asked
        if losses.rating:
            found["rating"] = asked
        if losses.genre:
            found["genre"] = self.targets.labelled
        if losses.audience:
            found["audience"] = (self.targets.votes > 0).to(asked)
        return {task: asked for task, asked in found.items() if asked.any()}
