"""Training until valid says that it was enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.errors import ConfigError
from recsys.evaluation.blocks import Scorer
from recsys.evaluation.evaluator import RankingEvaluator, RankingTask
from recsys.queries.query import Query

METRIC = "ndcg@10"


@dataclass(frozen=True)
class Schedule:
    """How long is trained.

    Attributes:
        epochs: at most; exactly so many where valid is empty.
        patience: epochs without a better NDCG@10 on valid until training stops.

    Raises:
        ConfigError: either is below 1.
    """

    epochs: int = 200
    patience: int = 10

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.patience < 1:
            raise ConfigError(f"{self}: both must be at least 1")


class ValidJudge:
    """NDCG@10 on valid, by the project's evaluator.

    All movies but those of the training history are ranked; the movies of valid alone where nobody
    rated any of them in training, for they are cold then, and so are those that will be judged.
    """

    def __init__(self, train: Interactions, valid: Interactions) -> None:
        items = np.unique(valid.item)
        cold = not (train.item_counts()[items] > 0).any()
        task = RankingTask(valid, seen=train, candidates=items if cold else None)
        self._evaluator = RankingEvaluator(task) if len(valid) else None
        self._query = Query.known(train)

    def __call__(self, scorer: Scorer) -> float | None:
        """What a scorer reaches; None where there is nothing to judge by."""
        if self._evaluator is None:
            return None
        return self._evaluator.evaluate(scorer, self._query).means()[METRIC]


def n_trained(net: nn.Module) -> int:
    """How many numbers training moves."""
    return sum(parameter.numel() for parameter in net.parameters())


def improve(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down the gradient of a loss."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def train_until_best(
    net: nn.Module,
    run_epoch: Callable[[int], None],
    judged: Callable[[], float | None],
    schedule: Schedule,
) -> int:
    """Trains, and leaves the network as it was after its best epoch.

    Args:
        net: what is trained.
        run_epoch: trains for the epoch of a number.
        judged: the quality of the network as it is, higher better; None where it is not known.
        schedule: when to stop.

    Returns:
        The number of epochs after which the network is left.
    """
    best, kept, state = float("-inf"), 0, _copied(net)
    for epoch in range(1, schedule.epochs + 1):
        net.train()
        run_epoch(epoch)
        net.eval()
        quality = judged()
        if quality is None or quality > best:
            best = best if quality is None else quality
            kept, state = epoch, _copied(net)
        elif epoch - kept >= schedule.patience:
            break
    net.load_state_dict(state)
    return kept


def _copied(net: nn.Module) -> dict[str, object]:
    return {name: value.detach().clone() for name, value in net.state_dict().items()}
