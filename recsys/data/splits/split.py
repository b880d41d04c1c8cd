"""Train, validation and test ratings that are what they claim to be.

Legend: I items.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recsys.data.hashing import fingerprint
from recsys.data.interactions import Interactions, repeated_pairs
from recsys.errors import AlignmentError, DataError


def _no_rows() -> NDArray[np.int32]:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class SplitSpec:
    """How a split was made: with the same ratings it can be made again.

    Attributes:
        name: one of ``SPLIT_NAMES``, or the name of a split made elsewhere.
        seed: of everything the split draws at random.
        params: the numbers of the rule, such as percentages.
        dataset: fingerprint of the interactions that were split; "" where they are not at hand.
    """

    name: str
    seed: int
    params: Mapping[str, int] = field(default_factory=dict)
    dataset: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        params = {key: self.params[key] for key in sorted(self.params)}
        return {"name": self.name, "seed": self.seed, "params": params, "dataset": self.dataset}

    def to_json(self) -> str:
        """The one JSON text of this spec: sorted keys, no white space, ASCII."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, eq=False)
class Split:
    """Ratings to learn from, to choose by, and to be judged on.

    Attributes:
        train: ratings a model is fitted on.
        valid: ratings for early stopping and hyper-parameters.
        test: ratings for the final figures; ``fit`` never receives them.
        spec: how the split was made.
        cold_items: ascending rows of the movies that gave all their ratings to ``test``; empty
            unless the split is about cold movies.
        cold_valid_items: likewise for ``valid``.

    Raises:
        AlignmentError: the parts have different vocabularies.
        DataError: a pair of user and item is in two parts, or a cold movie is rated elsewhere.
    """

    train: Interactions
    valid: Interactions
    test: Interactions
    spec: SplitSpec
    cold_items: NDArray[np.int32] = field(default_factory=_no_rows)
    cold_valid_items: NDArray[np.int32] = field(default_factory=_no_rows)

    def __post_init__(self) -> None:
        for name in ("cold_items", "cold_valid_items"):
            rows = np.array(getattr(self, name), dtype=np.int32)
            rows.setflags(write=False)
            object.__setattr__(self, name, rows)
        self._require_one_vocabulary()
        self._require_disjoint()
        self._require_cold(self.cold_items, ("train", "valid"))
        self._require_cold(self.cold_valid_items, ("train", "test"))

    @property
    def parts(self) -> dict[str, Interactions]:
        """The three parts by name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the spec and of the contents of the three parts, in order."""
        parts = (self.train.fingerprint, self.valid.fingerprint, self.test.fingerprint)
        return fingerprint((self.spec.to_json(), *parts))

    def _require_one_vocabulary(self) -> None:
        for name, part in self.parts.items():
            if part.users != self.train.users or part.items != self.train.items:
                raise AlignmentError(
                    f"split {self.spec.name}: {name} and train have different vocabularies",
                    hint="take all parts from one Interactions with select()",
                )

    def _require_disjoint(self) -> None:
        user = np.concatenate([part.user for part in self.parts.values()])
        item = np.concatenate([part.item for part in self.parts.values()])
        twice = np.flatnonzero(repeated_pairs(user, item, len(self.train.items)))
        if len(twice):
            users, items = self.train.users, self.train.items
            rows = [f"user {users.id(user[r])}, movie {items.id(item[r])}" for r in twice[:5]]
            raise DataError(
                f"split {self.spec.name}: {len(twice)} ratings are in more than one part",
                rows=rows,
                count=len(twice),
            )

    def _require_cold(self, cold: NDArray[np.int32], elsewhere: tuple[str, str]) -> None:
        for name in elsewhere:
            rated = np.intersect1d(self.parts[name].item, cold)
            if len(rated):
                raise DataError(
                    f"split {self.spec.name}: {len(rated)} cold movies have ratings in {name}",
                    rows=[f"movie {self.train.items.id(row)}" for row in rated[:5]],
                    count=len(rated),
                )


@dataclass(frozen=True, eq=False)
class LabelSplit:
    """Movies to learn labels from, to choose by, and to be judged on.

    Attributes:
        train: (I,) bool.
        valid: (I,) bool.
        test: (I,) bool.

    Raises:
        DataError: the masks differ in shape or a movie is in two of them.
    """

    train: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    test: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name in ("train", "valid", "test"):
            mask = np.array(getattr(self, name), dtype=bool)
            mask.setflags(write=False)
            object.__setattr__(self, name, mask)
        if not self.train.shape == self.valid.shape == self.test.shape:
            raise DataError(
                f"label masks have shapes {self.train.shape}, {self.valid.shape}, {self.test.shape}"
            )
        shared = np.flatnonzero(np.add(self.train, self.valid, dtype=int) + self.test > 1)
        if len(shared):
            rows = [f"item row {row}" for row in shared[:5]]
            raise DataError(
                f"{len(shared)} movies are in more than one part", rows=rows, count=len(shared)
            )
