"""What is known about movies: facts to show, labels to learn, and vectors of their content.

Legend: I items, G genres, D dimensions of one modality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recsys.data.files import fingerprint, freeze
from recsys.data.titles import TitleIndex, title_key
from recsys.data.vocabulary import Vocabulary, as_id
from recsys.errors import AlignmentError, AmbiguousNameError, DataError, UnknownIdError

UNKNOWN_YEAR = -1


@dataclass(frozen=True)
class EncoderCard:
    """How the vectors of a modality were made: they never travel without it.

    Attributes:
        name: encoder and, where there is one, the weights it used.
        revision: version or content hash of those weights.
        dim: D.
        preprocessing: what was done to the raw material first.
        pooling: how parts became one vector.
        licence: licence of the weights.
        paper: what to cite.
        notes: anything a reader must know, such as a fallback that was taken.
    """

    name: str
    revision: str
    dim: int
    preprocessing: str
    pooling: str
    licence: str
    paper: str
    notes: str = ""


@dataclass(frozen=True)
class ModalityTable:
    """Content vectors of one modality, bound to the vocabulary they are aligned with.

    Attributes:
        name: "text", "metadata", "poster", ...
        vectors: (I, D) float32, finite; rows of absent movies are zero and mean nothing.
        present: (I,) bool; absence is data, not zeros.
        card: how the vectors were made.
        items: fingerprint of the vocabulary whose rows these are.

    Raises:
        DataError: shapes disagree or a present vector is not finite.
    """

    name: str
    vectors: NDArray[np.float32]
    present: NDArray[np.bool_]
    card: EncoderCard
    items: str

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.present.shape != self.vectors.shape[:1]:
            raise DataError(
                f"modality {self.name}: vectors {self.vectors.shape}, present {self.present.shape}",
                hint="vectors are (items, dim), present is (items,)",
            )
        if self.vectors.shape[1] != self.card.dim:
            raise DataError(
                f"modality {self.name}: {self.vectors.shape[1]} columns, the card says "
                f"{self.card.dim}"
            )
        freeze(self, np.bool_, "present")
        object.__setattr__(self, "vectors", np.where(self.present[:, None], self.vectors, 0))
        freeze(self, np.float32, "vectors")
        bad = ~np.isfinite(self.vectors).all(axis=1)
        if bad.any():
            rows = [f"row {row}" for row in np.flatnonzero(bad)]
            raise DataError(f"modality {self.name}: {len(rows)} vectors are not finite", rows=rows)

    @property
    def coverage(self) -> float:
        """Share of the movies that have this modality."""
        return float(self.present.mean()) if len(self.present) else 0.0

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the vectors, the mask and the vocabulary."""
        return fingerprint((self.name, self.items, self.vectors, self.present))


@dataclass(frozen=True)
class Catalogue:
    """The movies, row by row.

    Attributes:
        items: vocabulary of the I movies.
        titles: I titles without the year; "" where unknown.
        years: (I,) int32 year of release, ``UNKNOWN_YEAR`` where unknown.
        genre_names: the G genre labels.
        genres: (I, G) bool; a row without any is a movie whose genres are unknown.
        facts: field ("director", "country", ...) to I tuples of values, as the source names them.
        modalities: name to table, each aligned with ``items``.
        film_ids: I ids of the films themselves in another, wider list, "" where unknown; empty when
            the source has none. Two entries with one film id are twins.

    Raises:
        DataError: a length is not I.
        AlignmentError: a modality belongs to another vocabulary.
    """

    items: Vocabulary
    titles: tuple[str, ...]
    years: NDArray[np.int32]
    genre_names: tuple[str, ...]
    genres: NDArray[np.bool_]
    facts: Mapping[str, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    modalities: Mapping[str, ModalityTable] = field(default_factory=dict)
    film_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        freeze(self, np.int32, "years")
        freeze(self, np.bool_, "genres")
        lengths = {"titles": len(self.titles), "years": len(self.years)}
        lengths |= {"film_ids": len(self.film_ids)} if self.film_ids else {}
        lengths |= {f"facts[{name}]": len(values) for name, values in self.facts.items()}
        for name, length in lengths.items():
            if length != len(self.items):
                raise DataError(f"{name} has {length} entries for {len(self.items)} movies")
        if self.genres.shape != (len(self.items), len(self.genre_names)):
            raise DataError(f"genres have shape {self.genres.shape}")
        for table in self.modalities.values():
            if table.items != self.items.fingerprint:
                raise AlignmentError(
                    f"modality {table.name} is aligned with vocabulary {table.items[:12]}, the "
                    f"catalogue has {self.items.fingerprint[:12]}",
                    hint="extract or import the features again for this catalogue",
                )
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))
        object.__setattr__(self, "modalities", MappingProxyType(dict(self.modalities)))

    def __len__(self) -> int:
        return len(self.items)

    def with_modality(self, table: ModalityTable) -> Catalogue:
        """The same movies with one more modality, or another in its place.

        Raises:
            AlignmentError: the table belongs to another vocabulary.
        """
        return replace(self, modalities={**self.modalities, table.name: table})

    def display_title(self, row: int) -> str:
        """``Heat (1995)``; the id where the title is unknown."""
        title = self.titles[row] or f"movie {self.items.id(row)}"
        year = int(self.years[row])
        return title if year == UNKNOWN_YEAR else f"{title} ({year})"

    def genres_of(self, row: int) -> list[str]:
        """The genre names of one movie."""
        return [self.genre_names[g] for g in np.flatnonzero(self.genres[row])]

    @cached_property
    def title_index(self) -> TitleIndex:
        """What finds movies by their names."""
        shown = [self.display_title(row) for row in range(len(self))]
        return TitleIndex(self.titles, self.years, shown)

    def find(self, movie: str | int) -> int:
        """The row of a movie named by id or by any of its names.

        Case, accents, punctuation and articles do not count; names in brackets at the end of a
        title are names, too, and a year may stand behind a name.

        Raises:
            AmbiguousNameError: more than one film has that name; the error names them.
            UnknownIdError: none has; the error names the nearest.
            DataError: it is no id or name: empty, missing, or not a string or an integer.
        """
        name = as_id(movie, kind="movie")
        if name in self.items:
            return self.items.row(name)
        rows = self.title_index.rows(name)
        if len({self.film_groups[row] for row in rows} if len(rows) > 1 else rows) == 1:
            return rows[0]
        nearest = rows or self.title_index.suggest(name) or self.search(name, 5)
        error = AmbiguousNameError if rows else UnknownIdError
        raise error("movie", name, [self._reference(row) for row in nearest])

    def search(self, text: str, limit: int = 10) -> list[int]:
        """The rows of the movies whose names have words that begin so, for a search box."""
        return self.title_index.search(text, limit)

    def _reference(self, row: int) -> str:
        return f"{self.display_title(row)} [{self.items.id(row)}]"

    @cached_property
    def film_groups(self) -> NDArray[np.int32]:
        """(I,) one number a film, in order of first appearance.

        Entries are one film when they share title and year, or a film id.
        """
        import scipy.sparse as sp
        from scipy.sparse.csgraph import connected_components

        keys: dict[tuple[str, object], int] = {}
        links = [
            (row, keys.setdefault(key, len(self) + len(keys)))
            for row in range(len(self))
            for key in self._film_keys(row)
        ]
        rows, nodes = np.array(links, dtype=np.int64).reshape(-1, 2).T
        size = len(self) + len(keys)
        graph = sp.coo_array((np.ones(len(links), dtype=bool), (rows, nodes)), shape=(size, size))
        _, component = connected_components(graph, directed=False)
        _, first, group = np.unique(component[: len(self)], return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[group].astype(np.int32)

    def _film_keys(self, row: int) -> list[tuple[str, object]]:
        keys: list[tuple[str, object]] = []
        if title := self.titles[row]:
            keys.append(("title", (title_key(title), int(self.years[row]))))
        if self.film_ids and (film := self.film_ids[row]):
            keys.append(("id", film))
        return keys
