"""A data set as every reader gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data.bad_rows import OnBadRow, RowReport, validate
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.movies import Movie, build_catalogue
from recsys.data.rawtable import RawTable
from recsys.errors import AlignmentError, DataError

if TYPE_CHECKING:
    from recsys.data.people import Person


@dataclass(frozen=True)
class Dataset:
    """Ratings and movies over one vocabulary, and where they came from.

    Attributes:
        name: "ml-100k", ...
        interactions: the good ratings in the order of the source.
        catalogue: the movies, with whatever modalities were encoded.
        report: what became of the rows of the source.
        origin: the folder or file that was read; None where ratings came from memory.

    Raises:
        AlignmentError: interactions and catalogue hold different movies.
    """

    name: str
    interactions: Interactions
    catalogue: Catalogue
    report: RowReport = field(default_factory=lambda: RowReport(Path("memory"), 0, 0))
    origin: Path | None = None

    def __post_init__(self) -> None:
        if self.interactions.items != self.catalogue.items:
            raise AlignmentError(f"{self.name}: ratings and catalogue hold different movies")

    def __repr__(self) -> str:
        users, movies = self.interactions.shape
        modalities = ", ".join(self.catalogue.modalities) or "none"
        return (
            f"Dataset({self.name!r}: {len(self.interactions):,} ratings, {users:,} users, "
            f"{movies:,} movies, modalities: {modalities})"
        )

    @classmethod
    def from_frames(
        cls,
        ratings: Any,
        movies: Any = None,
        features: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Dataset:
        """A data set from frames of pandas, polars or Arrow.

        See ``recsys.data.frames.dataset_from_frames`` for what frames may hold and the options.

        Raises:
            DataError: a column is missing, a row cannot be used, or ratings and movies do not meet.
        """
        from recsys.data.frames import dataset_from_frames

        return dataset_from_frames(ratings, movies, features, **options)

    def with_catalogue(self, catalogue: Catalogue) -> Dataset:
        """The same ratings with other facts or modalities of the same movies.

        Raises:
            AlignmentError: the catalogue holds other movies.
        """
        return replace(self, catalogue=catalogue)

    @cached_property
    def people(self) -> Mapping[str, Person]:
        """What the source tells of its users, by id; empty where it tells nothing.

        Raises:
            DataError: the file of users cannot be used as it is.
        """
        from recsys.data.people import read_people  # it reads by readers that make data sets

        return read_people(self.origin)

    @property
    def scale(self) -> RatingScale:
        """The interval of the ratings."""
        return self.interactions.scale


@dataclass(frozen=True)
class Reading:
    """What a reader is told besides where the files are.

    Attributes:
        name: of the data set.
        scale: ratings outside it are bad.
        on_bad_row: refuse the file, or keep the good rows.
    """

    name: str
    scale: RatingScale
    on_bad_row: OnBadRow = "error"


def assemble(raw: RawTable, movies: Sequence[Movie], source: Path, reading: Reading) -> Dataset:
    """A data set from raw ratings and the lines of the movie file ``source``.

    Raises:
        DataError: there are bad rows and they are not to be set aside, or no good one is left.
    """
    frame, report = validate(raw, reading.scale, reading.on_bad_row)
    if not report.good:
        raise DataError(
            f"{raw.path}: none of the {report.total} rows can be used",
            rows=[str(row) for row in report.bad[:5]],
            count=report.total,
            hint="is this the file and the format you meant?",
        )
    catalogue = build_catalogue(movies, frame["item"].unique(), str(source))
    interactions = Interactions.from_frame(frame, items=catalogue.items, scale=reading.scale)
    return Dataset(reading.name, interactions, catalogue, report, origin=raw.path.parent)
