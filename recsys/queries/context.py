"""The movies and users that a fitted model knows.

Legend: U users, I movies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.errors import AlignmentError
from recsys.queries.query import Query, Rows, entries_of

if TYPE_CHECKING:
    from recsys.data.split import TrainingData


@dataclass(frozen=True, eq=False)
class Context:
    """What a model was fitted on, as far as serving needs it.

    Attributes:
        catalogue: the movies.
        histories: the training ratings, with their times where known.
        seen: (U, I) bool CSR of what each user already has: train and valid together.

    Raises:
        AlignmentError: the parts belong to other movies or users.
    """

    catalogue: Catalogue
    histories: Interactions
    seen: sp.csr_array

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", entries_of(self.seen))
        if self.histories.items != self.catalogue.items:
            raise AlignmentError(
                f"histories over {self.histories.items!r}, a catalogue over "
                f"{self.catalogue.items!r}",
                hint="read the ratings with the catalogue's vocabulary",
            )
        if self.seen.shape != self.histories.shape:
            raise AlignmentError(f"seen is {self.seen.shape}, histories are {self.histories.shape}")

    @classmethod
    def of(cls, data: TrainingData) -> Context:
        """The context of a model that is fitted on these ratings."""
        return cls(data.catalogue, data.train, data.train.matrix() + data.valid.matrix())

    @cached_property
    def everyone(self) -> Query:
        """All U users with their training ratings."""
        return Query.known(self.histories)

    def seen_by(self, row: int) -> NDArray[np.bool_]:
        """(I,) what one user already has."""
        seen = np.zeros(self.seen.shape[1], dtype=bool)
        seen[self.seen.indices[slice(*self.seen.indptr[row : row + 2])]] = True
        return seen

    def one(self, row: int) -> Query:
        """One user with their training ratings."""
        return self.everyone.one(row)

    def query(self, rows: Rows) -> Query:
        """Some users with their training ratings."""
        return self.everyone.select(rows)
