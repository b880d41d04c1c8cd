"""Train, validation and test ratings that are what they claim to be.

Legend: I items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.files import fingerprint, freeze
from recsys.data.interactions import Interactions, repeated_pairs
from recsys.errors import AlignmentError, DataError

if TYPE_CHECKING:
    from recsys.data.catalogue import Catalogue
    from recsys.data.dataset import Dataset
    from recsys.data.people import Person


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

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        params = {key: self.params[key] for key in sorted(self.params)}
        return {"name": self.name, "seed": self.seed, "params": params, "dataset": self.dataset}

    def to_json(self) -> str:
        """The one JSON text of this spec: sorted keys, no white space, ASCII."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, eq=False)
class LabelSplit:
    """Movies to learn labels from, to choose by, and to be evaluated on.

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
        freeze(self, np.bool_, "train", "valid", "test")
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


@dataclass(frozen=True, eq=False)
class Split:
    """A data set divided into ratings to learn from, to choose by, and to be evaluated on.

    Attributes:
        dataset: what was divided; its catalogue holds the movies with their modalities.
        train: ratings a model is fitted on.
        valid: ratings for early stopping and hyper-parameters.
        test: ratings for the final figures; a model that is fitted never receives them.
        spec: how the split was made.
        cold_items: ascending rows of the movies that gave all their ratings to ``test``; empty
            unless the split is about cold movies.
        cold_valid_items: likewise for ``valid``.
        label_seed: of the division of the movies for the genre task, see ``labels``.

    Raises:
        AlignmentError: the parts, or the movies, have different vocabularies.
        DataError: a pair of user and item is in two parts, or a cold movie is rated elsewhere.
    """

    dataset: Dataset
    train: Interactions
    valid: Interactions
    test: Interactions
    spec: SplitSpec
    cold_items: NDArray[np.int32] = field(default_factory=_no_rows)
    cold_valid_items: NDArray[np.int32] = field(default_factory=_no_rows)
    label_seed: int = 0

    def __post_init__(self) -> None:
        freeze(self, np.int32, "cold_items", "cold_valid_items")
        self._require_one_vocabulary()
        self._require_disjoint()
        self._require_cold(self.cold_items, ("train", "valid"))
        self._require_cold(self.cold_valid_items, ("train", "test"))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(part):,}" for name, part in self.parts.items())
        name, seed = self.spec.name, self.spec.seed
        return f"Split({name!r}, seed {seed}, of {self.dataset.name!r}: {sizes})"

    @property
    def catalogue(self) -> Catalogue:
        """The movies with their modalities."""
        return self.dataset.catalogue

    @property
    def parts(self) -> dict[str, Interactions]:
        """The three parts by name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    @cached_property
    def labels(self) -> LabelSplit:
        """The movies whose genres train, choose and test the genre task."""
        from recsys.data.splits.rules import genre_partition  # it deals, which needs this module

        return genre_partition(self.catalogue, self.label_seed)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the spec and of the contents of the three parts, in order."""
        parts = (self.train.fingerprint, self.valid.fingerprint, self.test.fingerprint)
        return fingerprint((self.spec.to_json(), *parts))

    def with_catalogue(self, catalogue: Catalogue) -> Split:
        """The same division with other facts or modalities of the same movies.

        Raises:
            AlignmentError: the catalogue holds other movies.
        """
        return replace(self, dataset=self.dataset.with_catalogue(catalogue))

    def refit_on_train_valid(self) -> Split:
        """The same test, with train and valid together to learn from and no valid."""
        whole = self.train.join(self.valid)
        return replace(
            self, train=whole, valid=whole.select(np.arange(0)), cold_valid_items=_no_rows()
        )

    def for_fitting(self) -> TrainingData:
        """What a model that is fitted receives: all but the test part."""
        from recsys.data.people import read_people  # it reads by readers that make data sets

        labels = replace(self.labels, test=np.zeros_like(self.labels.test))
        return TrainingData(
            train=self.train,
            valid=self.valid,
            catalogue=self.catalogue,
            labels=labels,
            cold_valid_items=self.cold_valid_items,
            # Of the folder alone: the data set holds the test ratings.
            read_people=partial(read_people, self.dataset.origin),
            source=Source(self.dataset.name, self.spec, self.fingerprint),
        )

    def _require_one_vocabulary(self) -> None:
        for name, part in self.parts.items():
            if part.users != self.train.users or part.items != self.train.items:
                raise AlignmentError(
                    f"split {self.spec.name}: {name} and train have different vocabularies",
                    hint="take all parts from one Interactions with select()",
                )
        if self.catalogue.items != self.train.items:
            raise AlignmentError(
                f"split {self.spec.name}: ratings over {self.train.items!r}, a catalogue over "
                f"{self.catalogue.items!r}",
                hint="read the ratings with the catalogue's vocabulary",
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


@dataclass(frozen=True)
class Source:
    """Where training ratings come from.

    Attributes:
        dataset: name of the data set.
        spec: how it was split.
        split: fingerprint of the split.
    """

    dataset: str
    spec: SplitSpec
    split: str

    @classmethod
    def unknown(cls) -> Source:
        """Of ratings that were divided elsewhere."""
        return cls("memory", SplitSpec("elsewhere", 0), "")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a model that is fitted receives: a split without its test part.

    Attributes:
        train: ratings to learn from.
        valid: ratings to choose by: early stopping, calibration.
        catalogue: the movies with their modalities.
        labels: the movies whose genres train and choose; its ``test`` names none.
        cold_valid_items: rows of the movies that gave all their ratings to ``valid``; empty unless
            the split is about cold movies.
        read_people: gives what the source tells of users, by id.
        source: where the ratings come from.
    """

    train: Interactions
    valid: Interactions
    catalogue: Catalogue
    labels: LabelSplit
    cold_valid_items: NDArray[np.int32] = field(default_factory=_no_rows)
    read_people: Callable[[], Mapping[str, Person]] = dict
    source: Source = field(default_factory=Source.unknown)

    @classmethod
    def of(
        cls, train: Interactions, valid: Interactions, catalogue: Catalogue, label_seed: int = 0
    ) -> TrainingData:
        """Parts that were divided elsewhere."""
        from recsys.data.splits.rules import genre_partition

        labels = genre_partition(catalogue, label_seed)
        return cls(train, valid, catalogue, replace(labels, test=np.zeros_like(labels.test)))
