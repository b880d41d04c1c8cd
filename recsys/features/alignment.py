"""Vectors under foreign ids become one row a movie, and nothing is lost unseen.

Legend: N rows of the source, I items, D dimensions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.imports import ImportPolicy, Key
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.coverage import share_of_ratings
from recsys.errors import DataError
from recsys.features.audit import Audit, Finding
from recsys.features.published.vectors import IdVectors


@dataclass(frozen=True)
class AlignmentReport:
    """What became of the rows of one source.

    Attributes:
        modality: its name.
        origin: the file.
        key: what its ids name.
        rows: N.
        used: rows whose vector stands for a movie; with all that were removed they make N.
        findings: the faults that were there.
        movies: I.
        present: movies that have a vector: two for a film that is listed twice.
        by_ratings: share of the ratings that are of such a movie, None where ratings are not known.
    """

    modality: str
    origin: str
    key: Key
    rows: int
    used: int
    findings: tuple[Finding, ...]
    movies: int
    present: int
    by_ratings: float | None

    @property
    def by_movies(self) -> float:
        """Share of the movies that have a vector."""
        return self.present / self.movies if self.movies else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "by_movies": self.by_movies}


def align(
    name: str,
    found: IdVectors,
    card: EncoderCard,
    catalogue: Catalogue,
    policy: ImportPolicy,
    *,
    key: Key = "item",
    ratings: NDArray[np.int64] | None = None,
) -> tuple[ModalityTable, AlignmentReport]:
    """The vectors of the movies of a catalogue, from those of a source.

    Args:
        name: of the modality.
        found: N rows of the source.
        card: how they were made.
        catalogue: the movies.
        policy: what becomes of rows that are not right.
        key: what the ids of the source name.
        ratings: (I,) number of ratings of each movie, for the report alone.

    Raises:
        DataError: there is a fault that is to be refused, no row is left, or the width is not that
            of the card.
    """
    if found.dim != card.dim:
        raise DataError(f"{found.origin}: {found.dim} dimensions, the card says {card.dim}")
    rows_of = rows_by_key(catalogue, key)
    audit = Audit(found, policy)
    audit.run(rows_of)
    audit.refuse()
    vectors = np.zeros((len(catalogue), card.dim), dtype=np.float32)
    present = np.zeros(len(catalogue), dtype=bool)
    for id_, vector in zip(audit.ids, audit.vectors, strict=True):
        vectors[rows_of[id_]] = vector
        present[rows_of[id_]] = True
    report = AlignmentReport(
        modality=name,
        origin=found.origin,
        key=key,
        rows=len(found.ids),
        used=len(audit.rows),
        findings=tuple(audit.findings),
        movies=len(catalogue),
        present=int(present.sum()),
        by_ratings=share_of_ratings(present, ratings),
    )
    return ModalityTable(name, vectors, present, card, catalogue.items.fingerprint), report


def rows_by_key(catalogue: Catalogue, key: Key) -> dict[str, list[int]]:
    """The rows of each id: two for a film that is listed twice.

    Raises:
        DataError: films are asked for, and the catalogue does not say which films its movies are.
    """
    if key == "film" and not any(catalogue.film_ids):
        raise DataError(
            "the catalogue has no film ids to look the rows up by",
            hint="take key: item where the file names the movies as the data set does",
        )
    rows: dict[str, list[int]] = {}
    for row, id_ in enumerate(catalogue.film_ids if key == "film" else catalogue.items):
        if id_:
            rows.setdefault(id_, []).append(row)
    return rows
