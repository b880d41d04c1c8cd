"""Who rated what, how, and when.

Legend: N interactions, U users, I items.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.files import fingerprint, freeze
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError, ConfigError, DataError

if TYPE_CHECKING:  # pandas is slow to import, and serving needs none of it
    import pandas as pd


@dataclass(frozen=True)
class RatingScale:
    """The closed interval ratings lie in."""

    low: float = 1.0
    high: float = 5.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise DataError(f"a rating scale from {self.low} to {self.high} is empty")

    @classmethod
    def of(cls, scale: RatingScale | tuple[float, float] | None) -> RatingScale | None:
        """A scale from its lowest and highest rating.

        Raises:
            ConfigError: these are not two numbers.
        """
        if scale is None or isinstance(scale, RatingScale):
            return scale
        try:
            low, high = (float(end) for end in scale)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"scale: {scale!r} is no interval", hint="give the lowest and the highest rating"
            ) from error
        return cls(low, high)

    def contains(self, rating: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Which ratings lie on the scale; NaN does not."""
        return np.asarray((rating >= self.low) & (rating <= self.high))


@dataclass(frozen=True)
class Interactions:
    """Ratings in the order of their source, at most one for each user and item.

    Attributes:
        users: vocabulary of the U users.
        items: vocabulary of the I items.
        user: (N,) int32 rows.
        item: (N,) int32 rows.
        rating: (N,) float32 on ``scale``.
        time: (N,) int64 seconds UTC, or None where the source has none.
        scale: the interval of the ratings.

    Raises:
        DataError: lengths differ, a row is out of range, a rating is off the scale, a time is
            negative, or a pair occurs twice.
    """

    users: Vocabulary
    items: Vocabulary
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    time: NDArray[np.int64] | None = None
    scale: RatingScale = field(default_factory=RatingScale)

    def __post_init__(self) -> None:
        freeze(self, np.int32, "user", "item")
        freeze(self, np.float32, "rating")
        if self.time is not None:
            freeze(self, np.int64, "time")
        self._check()

    def _check(self) -> None:
        for name in ("item", "rating", "time"):
            array = getattr(self, name)
            if array is not None and array.shape != self.user.shape:
                raise DataError(f"{name} has shape {array.shape}, user has {self.user.shape}")
        for name, vocabulary in (("user", self.users), ("item", self.items)):
            rows = getattr(self, name)
            self._refuse((rows < 0) | (rows >= len(vocabulary)), f"{name} rows are out of range")
        self._refuse(~self.scale.contains(self.rating), f"ratings are outside {self.scale}")
        if self.time is not None:
            self._refuse(self.time < 0, "times are negative")
        self._refuse(
            repeated_pairs(self.user, self.item, len(self.items)),
            "interactions repeat a user and item",
        )

    def _refuse(self, bad: NDArray[np.bool_], what: str) -> None:
        if not bad.any():
            return
        rows = [
            f"row {p}: user row {self.user[p]}, item row {self.item[p]}, rating {self.rating[p]}"
            for p in np.flatnonzero(bad)[:5]
        ]
        raise DataError(f"{int(bad.sum())} {what}", rows=rows, count=int(bad.sum()))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        items: Vocabulary | None = None,
        scale: RatingScale | None = None,
    ) -> Self:
        """Interactions from the columns ``user``, ``item``, ``rating`` and, if there, ``time``.

        Args:
            frame: one row an interaction; ids are read as strings.
            items: vocabulary to use; by default the distinct items of the frame.
            scale: the rating scale, 1 to 5 unless told.

        Raises:
            DataError: an id is missing, or see the class.
        """
        missing = frame[["user", "item"]].isna().any(axis=1).to_numpy().nonzero()[0]
        if len(missing):
            rows = [f"row {place}" for place in missing[:5]]
            raise DataError(f"{len(missing)} rows lack an id", rows=rows, count=len(missing))
        user, item = _as_categories(frame["user"]), _as_categories(frame["item"])
        users = Vocabulary.from_values(user.cat.categories, kind="user")
        items = items or Vocabulary.from_values(item.cat.categories, kind="movie")
        return cls(
            users=users,
            items=items,
            user=_rows(user, users),
            item=_rows(item, items),
            rating=frame["rating"].to_numpy(np.float32),
            time=frame["time"].to_numpy(np.int64) if "time" in frame else None,
            scale=scale or RatingScale(),
        )

    def __len__(self) -> int:
        return len(self.user)

    @property
    def shape(self) -> tuple[int, int]:
        """(U, I): the whole vocabularies, whoever is left in the rows."""
        return len(self.users), len(self.items)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of ids, rows, ratings and times, in order."""
        time = self.time if self.time is not None else b""
        parts = (self.users.fingerprint, self.items.fingerprint)
        return fingerprint((*parts, self.user, self.item, self.rating, time))

    def select(self, index: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Interactions:
        """The chosen rows, in the order given, over the same vocabularies."""
        time = None if self.time is None else self.time[index]
        chosen = (self.user[index], self.item[index], self.rating[index])
        return replace(self, user=chosen[0], item=chosen[1], rating=chosen[2], time=time)

    def join(self, other: Interactions) -> Interactions:
        """These rows, then those of another over the same vocabularies.

        Raises:
            AlignmentError: its rows are those of other users or movies.
            DataError: a pair of user and movie is in both, or a rating is off this scale.
        """
        if (self.users, self.items) != (other.users, other.items):
            raise AlignmentError(
                f"ratings over {other.users!r} and {other.items!r} do not go with those over "
                f"{self.users!r} and {self.items!r}",
                hint="read both with one vocabulary of users and one of movies",
            )
        time = None
        if self.time is not None and other.time is not None:
            time = np.concatenate([self.time, other.time])
        return replace(
            self,
            user=np.concatenate([self.user, other.user]),
            item=np.concatenate([self.item, other.item]),
            rating=np.concatenate([self.rating, other.rating]),
            time=time,
        )

    def matrix(self) -> sp.csr_array:
        """(U, I) ratings, float32, with an explicit entry for every interaction."""
        return sp.csr_array((self.rating, (self.user, self.item)), shape=self.shape)

    def times(self) -> sp.csr_array | None:
        """(U, I) times, int64 seconds, None where the source has none.

        The entries are those of ``matrix`` in its order; a time of 0 is stored like any other.
        """
        if self.time is None:
            return None
        return sp.csr_array((self.time, (self.user, self.item)), shape=self.shape)

    def item_counts(self) -> NDArray[np.int64]:
        """(I,) how many users rated each item."""
        return np.bincount(self.item, minlength=len(self.items)).astype(np.int64)

    def user_counts(self) -> NDArray[np.int64]:
        """(U,) how many items each user rated."""
        return np.bincount(self.user, minlength=len(self.users)).astype(np.int64)


def _as_categories(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as categories that occur: ratings are many and ids are few."""
    if ids.dtype != "category":
        ids = ids.astype(str).astype("category")
    return ids.cat.remove_unused_categories()


def _rows(ids: pd.Series[Any], vocabulary: Vocabulary) -> NDArray[np.int32]:
    rows = vocabulary.rows(ids.cat.categories.tolist(), unknown="error")
    return np.take(rows, ids.cat.codes.to_numpy())


def repeated_pairs(
    user: NDArray[np.integer[Any]], item: NDArray[np.integer[Any]], n_items: int
) -> NDArray[np.bool_]:
    """(N,) whether an earlier row holds the same user and item."""
    key = user.astype(np.int64) * max(n_items, 1) + item
    first = np.zeros(len(key), dtype=bool)
    first[np.unique(key, return_index=True)[1]] = True
    return ~first
