"""Data sets from frames: pandas, polars, Arrow, and whatever else narwhals or Arrow can read.

Frames pass through the same checks as files do.

Legend: N ratings, M rows of the movies' frame, I movies, D dimensions.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from narwhals.exceptions import NarwhalsError
from numpy.typing import NDArray

from recsys.data.bad_rows import OnBadRow
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.dataset import Dataset, Reading, assemble
from recsys.data.files import fingerprint
from recsys.data.interactions import RatingScale
from recsys.data.movies import Movie, movies_of
from recsys.data.rawtable import as_text, text_rows
from recsys.errors import ConfigError, DataError, did_you_mean

_log = logging.getLogger(__name__)

_ITEM_NAMES = ("itemid", "movieid", "filmid", "productid", "item", "iid", "movie", "film", "mid")
_RATINGS: Mapping[str, tuple[str, ...]] = {
    "user": ("userid", "user", "uid", "username", "reviewerid", "customerid", "memberid"),
    "item": _ITEM_NAMES,
    "rating": ("rating", "ratings", "score", "stars", "star", "overall"),
    "time": ("timestamp", "time", "ts", "datetime", "date", "ratedat"),
}
_MOVIES: Mapping[str, tuple[str, ...]] = {
    "id": (*_ITEM_NAMES[:4], "id", *_ITEM_NAMES[4:]),
    "title": ("title", "movietitle", "name", "movie", "film"),
    "year": ("year", "releaseyear", "releasedate", "released"),
    "genres": ("genres", "genre", "class"),
}
_WHOLE_DECIMALS = r"^([+-]?\d+)\.0+$"
# Units of epochs, and the median from which on they are meant: in seconds, 1e11 is the year 5138.
_EPOCHS = ((1e17, 1_000_000_000, "ns"), (1e14, 1_000_000, "µs"), (1e11, 1_000, "ms"))


def dataset_from_frames(
    ratings: Any,
    movies: Any = None,
    features: Mapping[str, Any] | None = None,
    *,
    name: str = "frame",
    scale: RatingScale | tuple[float, float] | None = None,
    columns: Mapping[str, str] | None = None,
    on_bad_row: OnBadRow = "error",
) -> Dataset:
    """A data set from frames.

    Usual names of columns are recognised in any case. Ids are compared as text: 1, 1.0 and "1" are
    one. Times are dates, ISO 8601 in UTC unless told, or seconds, ms, µs or ns since 1970. What was
    taken for what, and which ratings and movies do not meet, is logged.

    Args:
        ratings: users, items, ratings and, if there, times; N rows.
        movies: ids and, if there, titles, years and genres (lists, or "A|B"); M rows. A title may
            end in its year.
        features: name of a modality to its vectors: (M, D) in the order of ``movies``, or a frame
            whose first column holds ids. A movie without a row, or with a row of NaN, has none.
        name: of the data set, also in messages.
        scale: of the ratings; 1 to 5 or half a star to 5 where they fit, else from the lowest to
            the highest.
        columns: our names ("user", "item", "rating", "time", and "id", "title", "year", "genres" of
            movies) to those of the frames, where they are not recognised.
        on_bad_row: refuse ratings with bad rows, or keep the good ones.

    Raises:
        DataError: a column is missing, a row cannot be used, or ratings and movies do not meet.
        ConfigError: ``columns`` names something else.
    """
    _require_known(columns or {})
    table = _Frame.open(ratings, f"{name} ratings")
    found = table.roles(_RATINGS, columns or {}, needed=("user", "item", "rating"))
    texts = {"user": table.ids(found["user"]), "item": table.ids(found["item"])}
    texts["rating"] = table.texts(found["rating"])
    if "time" in found:
        texts["time"] = table.seconds(found["time"])
    raw = text_rows(table.path, pa.table(texts))
    reading = Reading(
        name, RatingScale.of(scale) or _observed(texts["rating"], table.where), on_bad_row
    )
    lines = [] if movies is None else _movies(movies, f"{name} movies", columns or {})
    dataset = assemble(raw, lines, Path(f"{name} movies"), reading)
    _tell(dataset, found, lines)
    catalogue = dataset.catalogue
    for modality, values in (features or {}).items():
        if movies is None:
            raise DataError(f"{name}: features without movies", hint="give the movies' frame, too")
        vectors = _modality(modality, values, dataset.catalogue, len(lines))
        catalogue = catalogue.with_modality(vectors)
    return replace(dataset, catalogue=catalogue, origin=None)  # no folder holds more about it


def _require_known(columns: Mapping[str, str]) -> None:
    known = [*_RATINGS, *_MOVIES]
    for role in columns:
        if role not in known:
            raise ConfigError(
                f"columns: {role!r} is none of {', '.join(known)}",
                hint=did_you_mean(role, known, "our name comes first, then yours"),
            )


@dataclass(frozen=True)
class _Frame:
    """Any frame by narwhals' interface; ``where`` is what messages call it."""

    data: Any
    where: str

    @classmethod
    def open(cls, frame: Any, where: str) -> _Frame:
        """Any frame that narwhals or Arrow knows.

        Raises:
            DataError: it is another thing, has no rows, or names two columns alike.
        """
        try:
            data = _eager(frame)
            names, rows = list(data.columns), len(data)
        except (NarwhalsError, TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"{where}: {type(frame).__name__} is not a frame that can be read: {error}",
                hint="give a frame of pandas, polars or Arrow",
            ) from error
        twice = sorted({str(name) for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"{where}: several columns are called {', '.join(twice)}")
        if not rows:
            raise DataError(f"{where} is empty: it has columns and no rows")
        return cls(data, where)

    @property
    def path(self) -> Path:
        """Stands where files have their path."""
        return Path(self.where)

    def roles(
        self, usual: Mapping[str, tuple[str, ...]], given: Mapping[str, str], needed: Sequence[str]
    ) -> dict[str, Any]:
        """Our names to the frame's columns.

        Raises:
            DataError: a needed column, or one that was named, is not there.
        """
        have = list(self.data.columns)
        by_key = {_column_key(name): name for name in reversed(have)}
        found: dict[str, Any] = {}
        for role, names in usual.items():
            if role in given:
                if given[role] not in have:
                    self._refuse(f"there is no column {given[role]!r}", role)
                found[role] = given[role]
            elif match := [by_key[name] for name in names if name in by_key]:
                found[role] = next((m for m in match if m not in given.values()), None)
        found = {role: name for role, name in found.items() if name is not None}
        for role in needed:
            if role not in found:
                self._refuse(f"no column is known as the {role}", role)
        return found

    def _refuse(self, what: str, role: str) -> None:
        have = ", ".join(map(str, self.data.columns))
        extra = "" if role != "rating" else "; feedback without ratings is not supported yet"
        raise DataError(
            f"{self.where}: {what}; its columns are {have}{extra}",
            hint=f"say which it is: columns={{{role!r}: 'name of the column'}}",
        )

    def column(self, name: Any) -> pa.ChunkedArray:
        """One column; NaN is null, and values of several types are text."""
        series = self.data.get_column(name)
        try:
            data = series.to_arrow()
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            data = pa.array([_text(value) for value in series.to_list()], pa.string())
        data = pa.chunked_array([data]) if isinstance(data, pa.Array) else data
        if pa.types.is_dictionary(data.type):
            data = data.cast(data.type.value_type)
        if pa.types.is_floating(data.type):
            data = pc.if_else(pc.is_nan(data), pa.scalar(None, data.type), data)
        return data

    def texts(self, name: Any) -> pa.ChunkedArray:
        """One column as text, of dates the year."""
        data = self.column(name)
        if pa.types.is_timestamp(data.type) or pa.types.is_date(data.type):
            data = pc.year(data)
        return as_text(self.path, str(name), data)

    def ids(self, name: Any) -> pa.ChunkedArray:
        """One column of ids as text: trimmed, 1.0 as 1; null or "" where there is none."""
        data = self.column(name)
        if pa.types.is_boolean(data.type) or pa.types.is_temporal(data.type):
            raise DataError(f"{self.where}: column {str(name)!r} holds {data.type}, not ids")
        text = as_text(self.path, str(name), data)
        if pa.types.is_integer(data.type):
            return text
        encoded = text.combine_chunks().dictionary_encode()  # ratings are many and ids are few
        distinct = pc.utf8_trim_whitespace(encoded.dictionary)
        distinct = pc.replace_substring_regex(distinct, _WHOLE_DECIMALS, r"\1")
        return pa.chunked_array([distinct.take(encoded.indices)])

    def seconds(self, name: Any) -> pa.ChunkedArray:
        """One column of times as text of whole seconds; what is no time stays as it is."""
        data = self.column(name)
        if pa.types.is_temporal(data.type):
            if pa.types.is_date(data.type):
                data = data.cast(pa.timestamp("s"))
            return as_text(self.path, str(name), data)
        texts = as_text(self.path, str(name), data)
        if pa.types.is_integer(data.type) or pa.types.is_floating(data.type):
            return self._from_epochs(name, texts, data.cast(pa.float64(), safe=False).to_numpy())
        series = texts.to_pandas()
        numbers = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
        if not np.isnan(numbers).all():
            return self._from_epochs(name, texts, numbers)
        when = pd.to_datetime(series, format="ISO8601", utc=True, errors="coerce")
        known = when.notna().to_numpy()
        seconds = when.to_numpy(dtype="datetime64[s]").astype(np.int64)
        shown = np.where(known, seconds.astype(str), series.to_numpy(object))
        return pa.chunked_array([pa.array(shown, pa.string(), from_pandas=True)])

    def _from_epochs(
        self, name: Any, texts: pa.ChunkedArray, numbers: NDArray[np.float64]
    ) -> pa.ChunkedArray:
        known = np.abs(numbers[np.isfinite(numbers)])
        middle = float(np.median(known)) if len(known) else 0.0
        for least, per_second, unit in _EPOCHS:
            if middle >= least:
                _log.info("%s: %s is read as %s since 1970", self.where, name, unit)
                seconds = pa.array(np.floor(numbers / per_second), from_pandas=True)
                whole = as_text(self.path, str(name), pa.chunked_array([seconds]))
                return pc.if_else(pc.is_valid(whole), whole, texts)
        return texts


def _eager(frame: Any) -> Any:
    if isinstance(frame, pd.DataFrame) and any(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # movies.set_index("movieId")
    try:
        data = nw.from_native(frame)
    except TypeError:
        if hasattr(frame, "__arrow_c_stream__"):
            data = nw.from_arrow(frame, backend="pyarrow")
        elif hasattr(frame, "__dataframe__"):
            from pyarrow.interchange import from_dataframe

            data = nw.from_native(from_dataframe(frame))
        else:
            raise
    return data.collect() if isinstance(data, nw.LazyFrame) else data


def _column_key(name: Any) -> str:
    """``userId``, ``user_id`` and ``user_id:token`` are one name."""
    return re.sub(r"[\W_]", "", str(name).partition(":")[0].casefold())


def _text(value: Any) -> str | None:
    """One of several types of values in a column as text; None for what is missing."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124
        return None
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_whole else value)


def _observed(rating: pa.ChunkedArray, where: str) -> RatingScale:
    """1 to 5 or half a star to 5 where the ratings fit, else from the lowest to the highest."""
    distinct = pd.to_numeric(rating.unique().to_pandas(), errors="coerce").to_numpy(np.float64)
    distinct = distinct[np.isfinite(distinct)]
    if not len(distinct):
        return RatingScale()  # the checks of rows say what is wrong
    low, high = float(distinct.min()), float(distinct.max())
    for usual in (RatingScale(1, 5), RatingScale(0.5, 5)):
        if usual.low <= low and usual.low < high <= usual.high and high > 1:
            return usual
    if low == high:
        raise DataError(
            f"{where}: every rating is {low:g}; feedback without ratings is not supported yet",
            hint="say the scale if these are ratings: scale=(lowest, highest)",
        )
    _log.info("%s: ratings are read as from %g to %g", where, low, high)
    return RatingScale(low, high)


def _movies(frame: Any, where: str, columns: Mapping[str, str]) -> list[Movie]:
    """The rows of the movies' frame."""
    table = _Frame.open(frame, where)
    found = table.roles(_MOVIES, columns, needed=("id",))
    columns_of = {"id": [id_ or "" for id_ in table.ids(found["id"]).to_pylist()]}
    for role in ("title", "year"):
        if role in found:
            columns_of[role] = [text or "" for text in table.texts(found[role]).to_pylist()]
    if "genres" in found:
        columns_of["genres"] = [_joined(v) for v in table.column(found["genres"]).to_pylist()]
    unread = [str(name) for name in table.data.columns if name not in found.values()]
    if unread:
        _log.info("%s: columns that are not read: %s", where, ", ".join(unread))
    return movies_of(columns_of, [role if role in columns_of else None for role in _MOVIES], "|")


def _joined(labels: Any) -> str:
    if labels is None or isinstance(labels, str):
        return labels or ""
    return "|".join(str(label) for label in labels if label is not None)


def _tell(dataset: Dataset, found: Mapping[str, Any], movies: Sequence[Movie]) -> None:
    """Log what was taken for what, and which ratings and movies do not meet.

    Raises:
        DataError: none of the rated movies is among the movies.
    """
    taken = ", ".join(f"{name} → {role}" for role, name in found.items())
    scale, counts = dataset.scale, dataset.interactions.item_counts()
    _log.info("%s: %s; ratings from %g to %g", dataset.name, taken, scale.low, scale.high)
    if not movies:
        return
    told, untold = counts[: len(movies)], counts[len(movies) :]
    if not told.any():
        raise DataError(
            f"{dataset.name}: none of the {len(untold)} rated movies is among the {len(told)} told",
            rows=[f"rated: {dataset.catalogue.items.ids[-1]!r}; told of: {movies[0].id!r}"],
            hint="are these ids of the same list?",
        )
    _log.info(
        "%s: %d rated movies (%d ratings) are not among the movies, %d of %d movies have no rating",
        *(dataset.name, len(untold), untold.sum(), (told == 0).sum(), len(told)),
    )


def _modality(name: str, values: Any, catalogue: Catalogue, n_movies: int) -> ModalityTable:
    """The vectors of one modality; catalogue rows begin with those of the movies' frame."""
    if not any(hasattr(type(values), name) for name in ("columns", "__arrow_c_stream__")):
        given = _matrix(name, values)
        if len(given) != n_movies:
            raise DataError(
                f"features {name!r}: {len(given)} rows for {n_movies} movies",
                hint="give a row for each row of the movies, or a frame with their ids",
            )
        rows = np.arange(n_movies, dtype=np.int32)
    else:
        rows, given = _by_id(name, values, catalogue)
    vectors = np.full((len(catalogue), given.shape[1]), np.nan, dtype=np.float32)
    vectors[rows] = given
    present = ~np.isnan(vectors).all(axis=1)
    card = EncoderCard(
        name="given",
        revision=fingerprint((vectors,))[:12],
        dim=vectors.shape[1],
        preprocessing="not known",
        pooling="not known",
        licence="not known",
        paper="",
        notes="vectors that were given in memory",
    )
    _log.info("features %s: %d of %d movies have a vector", name, present.sum(), len(present))
    return ModalityTable(name, vectors, present, card, catalogue.items.fingerprint)


def _by_id(
    name: str, frame: Any, catalogue: Catalogue
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    table = _Frame.open(frame, f"features {name!r}")
    first, *others = table.data.columns
    ids = [id_ or "" for id_ in table.ids(first).to_pylist()]
    twice = pd.Index(ids)[pd.Index(ids).duplicated()]
    if len(twice):
        raise DataError(f"{table.where}: {len(twice)} ids occur more than once", rows=list(twice))
    rows = catalogue.items.rows(ids, unknown="minus_one")
    if not (rows >= 0).any():
        raise DataError(
            f"{table.where}: none of the {len(ids)} ids in column {str(first)!r} is a movie's",
            hint="the first column holds the ids of the movies",
        )
    _log.info("%s: %d rows are of no movie here", table.where, (rows < 0).sum())
    values = _matrix(name, [table.column(other).to_pylist() for other in others]).T
    return rows[rows >= 0], values[rows >= 0]


def _matrix(name: str, values: Any) -> NDArray[np.float32]:
    dense = values.toarray() if hasattr(values, "toarray") else values
    try:
        matrix = np.asarray(dense, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"features {name!r} are not all numbers: {error}") from error
    if matrix.ndim != 2 or not matrix.size:
        raise DataError(f"features {name!r} have shape {matrix.shape}", hint="give (movies, dims)")
    return matrix
