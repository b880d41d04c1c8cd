"""Vectors under foreign ids become one row a movie, and nothing is lost unseen.

Legend: N rows of the source, I items, D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.imports import FileImport, ImportConfig, ImportPolicy, Key, MmtfImport
from recsys.config.modalities import refuse_labels
from recsys.config.section import expand
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.coverage import share_of_ratings
from recsys.data.titles import title_key
from recsys.errors import AlignmentError, DataError
from recsys.features.audit import Audit, Finding
from recsys.features.published.files import read_file
from recsys.features.published.mmtf14k import Mmtf14k, read_titles
from recsys.features.published.vectors import IdVectors


@dataclass(frozen=True)
class ImportReport:
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
) -> tuple[ModalityTable, ImportReport]:
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
    report = ImportReport(
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


FEWEST_TITLES = 10
"""Titles that are known on both sides, below which nothing is concluded from them."""


def import_modality(
    name: str,
    config: ImportConfig,
    catalogue: Catalogue,
    ratings: NDArray[np.int64] | None = None,
) -> tuple[ModalityTable, ImportReport]:
    """Read vectors that were made elsewhere and align them with a catalogue.

    Args:
        name: of the modality.
        config: where they are and what becomes of bad rows.
        catalogue: the movies.
        ratings: (items,) number of ratings of each movie, for the report alone.

    Raises:
        ConfigError: the modality is named for genres, the source does not hold what is asked for,
            or an option does not go with it.
        AlignmentError: the ids of the source mean other films than those of the catalogue.
        DataError: the source cannot be used as it is, or holds rows that are to be refused.
    """
    refuse_labels([name])
    if isinstance(config, FileImport):
        found, card = read_file(config)
        return align(name, found, card, catalogue, config.policy, key=config.key, ratings=ratings)
    return _import_mmtf14k(name, config, catalogue, ratings)


def _import_mmtf14k(
    name: str, config: MmtfImport, catalogue: Catalogue, ratings: NDArray[np.int64] | None
) -> tuple[ModalityTable, ImportReport]:
    """The archive speaks of films, by the ids of the later MovieLens data sets."""
    source = Mmtf14k(expand(config.path))
    key: Key = "film" if any(catalogue.film_ids) else "item"
    require_same_films(catalogue, key, read_titles(source.archive))
    found, card = source.read(config)
    return align(name, found, card, catalogue, config.policy, key=key, ratings=ratings)


def require_same_films(catalogue: Catalogue, key: Key, titles: Mapping[str, str]) -> None:
    """Refuse ids that happen to be in the catalogue but name other films there.

    The numbers of most lists of films start at 1: read as those of another list, they give nearly
    every movie the vector of a stranger, and nothing else would tell.

    Args:
        catalogue: the movies.
        key: what the ids of ``titles`` are looked up as.
        titles: those of the source, by its ids.

    Raises:
        AlignmentError: fewer than half of the titles agree, with ten or more to compare.
    """
    rows = rows_by_key(catalogue, key)
    pairs = [
        (id_, title, catalogue.titles[row])
        for id_, title in titles.items()
        for row in rows.get(id_, ())
        if title and catalogue.titles[row]
    ]
    wrong = [pair for pair in pairs if title_key(pair[1]) != title_key(pair[2])]
    if len(pairs) >= FEWEST_TITLES and 2 * len(wrong) > len(pairs):
        raise AlignmentError(
            f"{len(wrong)} of {len(pairs)} ids mean other films here than in the source",
            rows=[f"id {id_}: {there!r}, here {here!r}" for id_, there, here in wrong[:5]],
            count=len(wrong),
            hint="the catalogue needs film ids of the same list as the source",
        )
