"""RecBole's side of a fit; only ever imported in a process of its own.

RecBole: Zhao et al., "RecBole: Towards a Unified, Comprehensive and Efficient Framework for
Recommendation Algorithms", CIKM 2021, doi 10.1145/3459637.3482016.

Legend: U users, I items, B users of one block, N ratings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.recbole.exchange import DATASET, WorkerSpec

Figures = dict[str, float]
"""RecBole's metrics by its names, which are ours: "ndcg@10", "recall@10", …"""

DECIMALS = 15
"""Of reference figures. RecBole rounds to four, which early stopping goes on doing."""


@dataclass(frozen=True)
class Session:
    """A data set, a model and its trainer, all RecBole's.

    Attributes:
        config: settings, resolved.
        train: loader of the training ratings.
        valid: loader of the valid ratings.
        model: what is trained.
        trainer: what trains it and evaluates it.
        users: (U,) RecBole's number of each of our user rows.
        items: (I,) likewise for items.
    """

    config: Any
    train: Any
    valid: Any
    model: Any
    trainer: Any
    users: NDArray[np.int64]
    items: NDArray[np.int64]

    @classmethod
    def open(cls, spec: WorkerSpec) -> Self:
        """Read the files of the current folder, and make the model: the steps of ``run_recbole``.

        Raises:
            ValueError: an option is none of this model's.
        """
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, get_trainer, init_seed

        config = Config(model=spec.model, dataset=DATASET, config_dict=dict(spec.settings))
        _require_known(config, spec)
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        train, valid, _ = data_preparation(config, dataset)
        init_seed(config["seed"], config["reproducibility"])
        model = get_model(spec.model)(config, train.dataset).to(config["device"])
        trainer = get_trainer(config["MODEL_TYPE"], spec.model)(config, model)
        users, items = (
            np.array(dataset.token2id(field, [str(row) for row in range(n)]), dtype=np.int64)
            for field, n in zip(("user_id", "item_id"), spec.shape, strict=True)
        )
        return cls(config, train, valid, model, trainer, users, items)

    def fit(self) -> Figures:
        """Train until valid gets no better, and return to the best epoch; its figures on valid."""
        self.trainer.fit(self.train, self.valid, saved=True, show_progress=False)
        return _plain(self.trainer.evaluate(self.valid, load_best_model=True))

    @property
    def epochs(self) -> int:
        """How many were trained."""
        return len(self.trainer.train_loss_dict)

    @property
    def parameters(self) -> int:
        """Numbers learnt; a solved model keeps them outside torch."""
        solved = ("item_similarity", "w", "item_cnt")
        weights = [getattr(self.model, name) for name in solved if hasattr(self.model, name)]
        if weights:
            return sum(_n_nonzero(weight) for weight in weights)
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    def write_scores(self, path: Path) -> NDArray[np.float32]:
        """(U, I) scores of everybody, in our rows, as a memory-mapped ``.npy`` file."""
        mapped: Any = np.lib.format.open_memmap
        shape = (len(self.users), len(self.items))
        scores: NDArray[np.float32] = mapped(path, mode="w+", dtype=np.float32, shape=shape)
        for start, users in self._blocks():
            scores[start : start + len(users)] = self._score(users)
        return scores

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        size = max(self.config["eval_batch_size"] // (len(self.items) + 1), 1)
        for start in range(0, len(self.users), size):
            yield start, self.users[start : start + size]

    def _score(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """(B, I) scores by the function RecBole's own evaluation calls."""
        import torch
        from recbole.data.interaction import Interaction

        asked = Interaction({"user_id": torch.from_numpy(users)})
        with torch.no_grad():
            _, scores, _, _ = self.trainer._full_sort_batch_eval((asked, None, None, None))
        return np.asarray(scores[:, self.items].cpu().numpy(), dtype=np.float32)

    def evaluate(self, pairs: NDArray[np.int64], scores: NDArray[np.float32] | None) -> Figures:
        """RecBole's figures over all items but those in train and valid.

        Args:
            pairs: (N, 2) rows of users and items: the test ratings.
            scores: (U, I) what to evaluate, ties going to the lower item row as in our lists; None
                asks the model and leaves ties to RecBole.
        """
        from recbole.evaluator import Evaluator

        self.config["metric_decimal_place"] = DECIMALS
        self.trainer.evaluator = Evaluator(self.config)
        if scores is not None:
            self.model.full_sort_predict = _Ranks(scores, self)
        return _plain(self.trainer.evaluate(self._loader(pairs), load_best_model=False))

    def _loader(self, pairs: NDArray[np.int64]) -> Any:
        import torch
        from recbole.data.dataloader import FullSortEvalDataLoader
        from recbole.data.interaction import Interaction
        from recbole.sampler import Sampler

        user, item = self.users[pairs[:, 0]], self.items[pairs[:, 1]]
        columns = {"user_id": torch.from_numpy(user), "item_id": torch.from_numpy(item)}
        test = self.train.dataset.copy(Interaction(columns))
        parts = [self.train.dataset, self.valid.dataset, test]
        sampler = Sampler(["train", "valid", "test"], parts).set_phase("test")
        return FullSortEvalDataLoader(self.config, test, sampler)


class _Ranks:
    """Answers like a model: the place of every item in a user's list, which has no ties."""

    def __init__(self, scores: NDArray[np.float32], session: Session) -> None:
        self.scores, self.items = scores, session.items
        self.row = np.empty(len(session.users) + 1, dtype=np.int64)
        self.row[session.users] = np.arange(len(session.users))

    def __call__(self, interaction: Any) -> Any:
        import torch

        scores = self.scores[self.row[interaction["user_id"].numpy()]]
        order = np.argsort(-scores, axis=1, kind="stable")
        places = np.full((len(scores), len(self.items) + 1), -np.inf, dtype=np.float32)
        np.put_along_axis(places, self.items[order], -np.arange(len(self.items))[None], axis=1)
        return torch.from_numpy(places)


def _require_known(config: Any, spec: WorkerSpec) -> None:
    known = set(config.internal_config_dict).union(*config.parameters.values())
    unknown = [option for option in spec.options if option not in known]
    if unknown:
        raise ValueError(f"{spec.model} has no option {', '.join(unknown)}")


def _n_nonzero(weight: Any) -> int:
    """Of a tensor, a sparse matrix, or a NumPy array, which alone lacks the method."""
    counted = getattr(weight, "count_nonzero", lambda: np.count_nonzero(weight))
    return int(counted())


def _plain(figures: Any) -> Figures:
    return {name: float(value) for name, value in figures.items()}
