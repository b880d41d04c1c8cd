"""A summary of a data set, for people and for JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.coverage import known_facts
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.documents import Document

_MOST_VALUES = 20


class DatasetSummary(Document):
    """What a data set holds.

    Attributes:
        name: of the data set.
        origin: the folder it was read from.
        users: with at least one rating.
        items: movies of the catalogue, rated or not.
        rated_items: movies with at least one rating.
        ratings: how many.
        density: ratings / (users × items).
        scale: lowest and highest possible rating.
        histogram: rating, or range of ratings, to how many.
        mean: of the ratings.
        first: time of the earliest rating, ISO 8601 in UTC; None without times.
        last: of the latest.
        genres: label to how many movies have it.
        shares: "title", "year", "genres" and each fact to the share of movies that have it.
        twins: films that are more than one movie of the catalogue: title to ids.
        bad_rows: reason to how many rows were set aside.
    """

    name: str
    origin: str
    users: int
    items: int
    rated_items: int
    ratings: int
    density: float
    scale: tuple[float, float]
    histogram: dict[str, int]
    mean: float
    first: str | None
    last: str | None
    genres: dict[str, int]
    shares: dict[str, float]
    twins: dict[str, list[str]]
    bad_rows: dict[str, int]


def describe(dataset: Dataset) -> DatasetSummary:
    """Summarise a data set."""
    ratings, catalogue = dataset.interactions, dataset.catalogue
    first, last = _time_range(ratings)
    counts = catalogue.genres.sum(axis=0).tolist()
    return DatasetSummary(
        name=dataset.name,
        origin=str(dataset.origin),
        users=len(ratings.users),
        items=len(ratings.items),
        rated_items=int((ratings.item_counts() > 0).sum()),
        ratings=len(ratings),
        density=len(ratings) / (len(ratings.users) * len(ratings.items)),
        scale=(dataset.scale.low, dataset.scale.high),
        histogram=_histogram(ratings.rating),
        mean=float(ratings.rating.mean(dtype=np.float64)),
        first=first,
        last=last,
        genres=dict(zip(catalogue.genre_names, counts, strict=True)),
        shares={name: float(has.mean()) for name, has in known_facts(catalogue).items()},
        twins=_twins(catalogue),
        bad_rows=dataset.report.counts,
    )


def _histogram(rating: NDArray[np.float32]) -> dict[str, int]:
    values, counts = np.unique(rating, return_counts=True)
    if len(values) <= _MOST_VALUES:
        return {f"{value:g}": int(n) for value, n in zip(values, counts, strict=True)}
    binned, edges = np.histogram(rating, bins=10)
    ranges = zip(edges[:-1], edges[1:], binned, strict=True)
    return {f"{low:g}–{high:g}": int(n) for low, high, n in ranges}


def _time_range(ratings: Interactions) -> tuple[str | None, str | None]:
    if ratings.time is None:
        return None, None
    ends = (int(ratings.time.min()), int(ratings.time.max()))
    first, last = (datetime.fromtimestamp(t, UTC).isoformat() for t in ends)
    return first, last


def _twins(catalogue: Catalogue) -> dict[str, list[str]]:
    groups: dict[int, list[int]] = {}
    for row, group in enumerate(catalogue.film_groups.tolist()):
        groups.setdefault(group, []).append(row)
    return {
        catalogue.display_title(rows[0]): [catalogue.items.id(row) for row in rows]
        for rows in groups.values()
        if len(rows) > 1
    }
