from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.dataset import Dataset
from recsys.data.frames import dataset_from_frames
from recsys.data.interactions import RatingScale
from recsys.data.sources import load_dataset, open_dataset
from recsys.errors import ConfigError, DataError, RecsysError

RATINGS = {
    "userId": [7, 7, 10, 9],
    "movieId": [2, 1, 1, 50],
    "rating": [3.0, 5.0, 4.0, 1.0],
    "timestamp": [881250949, 881250950, 881250951, 0],
}
MOVIES = {
    "movieId": [1, 2, 3],
    "title": ["Toy Story (1995)", "Usual Suspects, The (1995)", "Unrated"],
    "genres": ["Animation|Comedy", "Thriller", "(no genres listed)"],
}


class OnlyArrow:
    """A frame of an unknown library that speaks Arrow's stream interface."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.table = pa.table(columns)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class OnlyInterchange:
    """One that speaks the dataframe interchange protocol alone."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.table = pa.table(columns)

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self.table.__dataframe__(nan_as_null, allow_copy)


def _polars(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


def _lazy(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").LazyFrame(columns)


def _pandas_strings(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns).astype({"movieId": "string"})


def _categories(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns).astype({"movieId": "category"})


KINDS: list[Callable[[dict[str, Any]], Any]] = [
    *(pd.DataFrame, _pandas_strings, _categories, pa.table, OnlyArrow, OnlyInterchange),
    *(_polars, _lazy),
]


def _rows(dataset: Dataset) -> list[tuple[str, str, float]]:
    found = dataset.interactions
    users, items = (
        [vocabulary.id(row) for row in rows]
        for vocabulary, rows in ((found.users, found.user), (found.items, found.item))
    )
    return list(zip(users, items, found.rating.tolist(), strict=True))


def _ratings(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(RATINGS | columns)


@pytest.mark.parametrize("kind", KINDS)
def test_any_frame_is_a_data_set(kind: Callable[[dict[str, Any]], Any]) -> None:
    dataset = dataset_from_frames(kind(RATINGS), kind(MOVIES), name="mine")
    assert _rows(dataset) == [("7", "2", 3), ("7", "1", 5), ("10", "1", 4), ("9", "50", 1)]
    assert dataset.interactions.time is not None
    assert dataset.interactions.time.tolist() == RATINGS["timestamp"]
    catalogue = dataset.catalogue
    assert catalogue.items.ids == ("1", "2", "3", "50")
    assert catalogue.titles == ("Toy Story", "Usual Suspects, The", "Unrated", "")
    assert catalogue.years.tolist() == [1995, 1995, UNKNOWN_YEAR, UNKNOWN_YEAR]
    assert [catalogue.genres_of(row) for row in range(4)] == [
        *(["Animation", "Comedy"], ["Thriller"], [], [])
    ]
    assert (dataset.name, dataset.scale, dataset.origin) == ("mine", RatingScale(1, 5), None)
    assert dataset.report is not None
    assert (dataset.report.total, dataset.report.good) == (4, 4)


def test_a_frame_and_a_file_of_the_same_rows_are_one_data_set(tmp_path: Path) -> None:
    pd.DataFrame(RATINGS).to_csv(tmp_path / "ratings.csv", index=False)
    pd.DataFrame(MOVIES).to_csv(tmp_path / "movies.csv", index=False)
    read = load_dataset(str(tmp_path))
    given = load_dataset(pd.DataFrame(RATINGS), pd.DataFrame(MOVIES))
    assert given.interactions.fingerprint == read.interactions.fingerprint
    assert given.catalogue.titles == read.catalogue.titles
    assert np.array_equal(given.catalogue.genres, read.catalogue.genres)


@pytest.mark.parametrize(
    "names",
    [
        ("user", "item", "rating", "time"),
        ("USER_ID", "Item_Id", "Rating", "Timestamp"),
        ("uid", "movie_id", "stars", "ts"),
        ("user_id:token", "item_id:token", "rating:float", "timestamp:float"),
        ("User ID", "Film", "score", "Date"),
    ],
)
def test_usual_names_of_columns_are_recognised(names: tuple[str, ...]) -> None:
    frame = pd.DataFrame(dict(zip(names, RATINGS.values(), strict=True)))
    dataset = dataset_from_frames(frame)
    assert _rows(dataset)[0] == ("7", "2", 3)
    assert dataset.interactions.time is not None


def test_other_names_are_said() -> None:
    frame = pd.DataFrame({"who": [1], "what": [2], "liked": [4], "note": ["x"]})
    with pytest.raises(DataError, match=r"known as the user; its columns are who, what, liked, no"):
        dataset_from_frames(frame)
    columns = {"user": "who", "item": "what", "rating": "liked"}
    assert _rows(dataset_from_frames(frame, columns=columns)) == [("1", "2", 4)]
    with pytest.raises(DataError, match=r"there is no column 'like'(.|\n)*columns=\{'rating':"):
        dataset_from_frames(frame, columns=columns | {"rating": "like"})
    with pytest.raises(ConfigError, match=r"'usr' is none of user, item(.|\n)*did you mean user"):
        dataset_from_frames(frame, columns={"usr": "who"})
    movies = pd.DataFrame({"what": [2], "called": ["Heat (1995)"]})
    told = dataset_from_frames(frame, movies, columns=columns | {"id": "what", "title": "called"})
    assert told.catalogue.display_title(0) == "Heat (1995)"


def test_a_named_column_is_not_taken_for_another_role() -> None:
    frame = pd.DataFrame({"item": ["a"], "movieId": ["m"], "rating": [3]})
    dataset = dataset_from_frames(frame, columns={"user": "movieId"})
    assert _rows(dataset) == [("m", "a", 3)]


def test_feedback_without_ratings_is_refused_for_now() -> None:
    with pytest.raises(DataError, match="feedback without ratings is not supported yet"):
        dataset_from_frames(pd.DataFrame({"user": [1], "item": [2]}))
    with pytest.raises(DataError, match="every rating is 1; feedback without ratings"):
        dataset_from_frames(_ratings(rating=[1, 1, 1, 1]))
    assert len(dataset_from_frames(_ratings(rating=[1, 1, 1, 1]), scale=(1, 5)).interactions) == 4


@pytest.mark.parametrize(
    "ids",
    [
        [1, 2, 2, 3],
        [1.0, 2.0, 2.0, 3.0],
        ["1", "2", "2", "3"],
        ["1.0", " 2 ", "2", "3.00"],
        np.array([1, "2", 2.0, "3"], dtype=object),
        np.array([1, 2, 2, 3], dtype=np.int8),
        [Decimal(1), Decimal("2.0"), Decimal(2), Decimal(3)],
    ],
)
def test_an_id_is_one_id_however_it_is_written(ids: Any) -> None:
    movies = pd.DataFrame({"id": ["1", "2", "3"], "title": ["a", "b", "c"]})
    dataset = dataset_from_frames(_ratings(movieId=ids, userId=[1, 1, 2, 2]), movies)
    assert dataset.catalogue.items.ids == ("1", "2", "3")
    assert [item for _, item, _ in _rows(dataset)] == ["1", "2", "2", "3"]


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA, "", "  "])
@pytest.mark.parametrize("column", ["userId", "movieId"])
def test_a_missing_id_is_refused_with_its_row(missing: Any, column: str) -> None:
    for others in ([7, 8, 9], ["7", "8", "9"], [7.0, 8.0, 9.0]):
        frame = _ratings(**{column: np.array([*others[:2], missing, others[2]], dtype=object)})
        with pytest.raises(DataError, match=r"1 of 4 rows(.|\n)*line 3: empty user or movie id"):
            dataset_from_frames(frame)
        dataset = dataset_from_frames(frame, on_bad_row="quarantine")
        assert dataset.report is not None
        assert dataset.report.counts == {"empty user or movie id": 1}
        assert len(dataset.interactions) == 3
        assert not {"None", "nan", "<NA>"} & set(dataset.interactions.users.ids)


def test_missing_ids_of_typed_columns_are_refused() -> None:
    pl = pytest.importorskip("polars")
    frames = [
        pd.DataFrame(RATINGS | {"userId": [7.0, math.nan, 8.0, 9.0]}),
        pd.DataFrame(RATINGS | {"userId": pd.array([7, None, 8, 9], dtype="Int64")}),
        pa.table(RATINGS | {"userId": pa.array([7, None, 8, 9])}),
        pl.DataFrame(RATINGS | {"userId": [7, None, 8, 9]}),
        pl.DataFrame(RATINGS | {"userId": [7.0, math.nan, 8.0, 9.0]}),
    ]
    for frame in frames:
        with pytest.raises(DataError, match="line 2: empty user or movie id"):
            dataset_from_frames(frame)
        users = dataset_from_frames(frame, on_bad_row="quarantine").interactions.users
        assert users.ids == ("7", "8", "9")


WHEN = [datetime(2020, 1, 1, 12, 0, second, 500_000) for second in range(4)]
SECONDS = [int(when.replace(tzinfo=UTC).timestamp()) for when in WHEN]


@pytest.mark.parametrize(
    "times",
    [
        WHEN,
        pd.Series(WHEN).dt.tz_localize("UTC").dt.tz_convert("America/New_York"),
        pd.Series(WHEN).astype("datetime64[s]"),
        [f"{when.isoformat()}Z" for when in WHEN],
        [when.isoformat(" ") for when in WHEN],
        [f"2020-01-01T17:30:0{second}+05:30" for second in range(4)],
        [second * 1_000 + 500 for second in SECONDS],
        [second * 1_000_000 + 1 for second in SECONDS],
        [second * 1_000_000_000 for second in SECONDS],
        [second + 0.5 for second in SECONDS],
        [str(second) for second in SECONDS],
    ],
)
def test_times_become_seconds(times: Any) -> None:
    dataset = dataset_from_frames(_ratings(timestamp=times))
    assert dataset.interactions.time is not None
    assert dataset.interactions.time.tolist() == SECONDS


def test_dates_become_seconds() -> None:
    days = [date(2020, 1, day) for day in (1, 2, 3, 4)]
    for frame in (_ratings(timestamp=days), pa.table(RATINGS | {"timestamp": days})):
        time = dataset_from_frames(frame).interactions.time
        assert time is not None
        assert time.tolist() == [1_577_836_800 + 86_400 * day for day in range(4)]


def test_a_time_that_is_none_is_named() -> None:
    for times in (["2020-01-01", "soon", "2020-01-02", "2020-01-03"], [1, "soon", 2, 3]):
        with pytest.raises(DataError, match=r"line 2: time is not a number: .*soon"):
            dataset_from_frames(_ratings(timestamp=times))
    with pytest.raises(DataError, match="line 4: time is not a number"):
        dataset_from_frames(_ratings(timestamp=[*WHEN[:3], None]))


def test_a_frame_without_times_has_none() -> None:
    assert dataset_from_frames(_ratings().drop(columns="timestamp")).interactions.time is None


@pytest.mark.parametrize(
    ("ratings", "scale"),
    [
        ([1, 5, 3, 4], (1, 5)),
        ([2, 4, 4, 3], (1, 5)),
        ([1.5, 4.5, 4, 3], (1, 5)),
        ([0.5, 5, 4, 3], (0.5, 5)),
        ([1, 10, 7, 8], (1, 10)),
        ([0, 100, 55, 80], (0, 100)),
        ([0.5, 1, 0.7, 0.9], (0.5, 1)),
        ([-10, 10, 0.25, 3], (-10, 10)),
    ],
)
def test_the_scale_is_recognised(ratings: list[float], scale: tuple[float, float]) -> None:
    assert dataset_from_frames(_ratings(rating=ratings)).scale == RatingScale(*scale)


def test_a_scale_that_is_said_is_kept() -> None:
    with pytest.raises(DataError, match=r"rating is off the scale: 1(.|\n)*scale=\(low, high\)"):
        dataset_from_frames(_ratings(rating=[1, 2, 3, 6]), scale=(1, 5))
    dataset = dataset_from_frames(_ratings(), scale=RatingScale(0, 10))
    assert dataset.scale == RatingScale(0, 10)
    for wrong in (5, "ab", (1, 2, 3), ("a", 5), (5, 1)):
        with pytest.raises(RecsysError, match="scale"):
            dataset_from_frames(_ratings(), scale=wrong)  # type: ignore[arg-type]


def test_movies_come_in_many_shapes() -> None:
    movies = pa.table(
        {
            "Movie_ID": pa.array([1.0, 2.0, 50.0]),
            "Name": ["Heat", "2012", None],
            "release_year": [1995.0, None, 2009.0],
            "genre": [["Crime", "Drama"], None, []],
            "director": ["x", "y", "z"],
        }
    )
    catalogue = dataset_from_frames(_ratings(), movies).catalogue
    assert [catalogue.display_title(row) for row in range(3)] == [
        "Heat (1995)",
        "2012",
        "movie 50 (2009)",
    ]
    assert catalogue.genres_of(0) == ["Crime", "Drama"]
    assert catalogue.genre_names == ("Crime", "Drama")


def test_ids_may_be_the_index_and_years_dates() -> None:
    movies = pd.DataFrame({"movieId": [1, 2], "title": ["Heat", "Ran"], "released": WHEN[:2]})
    catalogue = dataset_from_frames(_ratings(), movies.set_index("movieId")).catalogue
    assert [catalogue.display_title(row) for row in range(2)] == ["Heat (2020)", "Ran (2020)"]


@pytest.mark.parametrize("ids", [[1, 1, 2], [1, None, 2]])
def test_movies_without_an_id_of_their_own_are_refused(ids: list[Any]) -> None:
    with pytest.raises(DataError, match="1 movie ids are empty or occur more than once"):
        dataset_from_frames(_ratings(), pd.DataFrame({"id": ids, "title": ["a", "b", "c"]}))


def test_what_was_taken_and_what_does_not_meet_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "recsys"):
        dataset_from_frames(_ratings(), pd.DataFrame(MOVIES | {"imdb": [1, 2, 3]}))
    assert "frame: userId → user, movieId → item, rating → rating, timestamp → time" in caplog.text
    assert (
        "1 rated movies (1 ratings) are not among the movies, 1 of 3 movies have no" in caplog.text
    )
    assert "columns that are not read: imdb" in caplog.text
    with pytest.raises(DataError, match="none of the 3 rated movies is among the 1 told"):
        dataset_from_frames(_ratings(), pd.DataFrame({"id": ["tt1"]}))


def test_a_pair_that_is_rated_twice_is_refused_or_set_aside() -> None:
    frame = pd.concat([_ratings(), _ratings().head(1)])
    with pytest.raises(DataError, match="line 5: user and movie already rated above"):
        dataset_from_frames(frame)
    assert len(dataset_from_frames(frame, on_bad_row="quarantine").interactions) == 4


@pytest.mark.parametrize("kind", [np.asarray, list, sp.csr_array])
def test_features_follow_the_rows_of_the_movies(kind: Callable[[Any], Any]) -> None:
    vectors = kind(np.arange(6.0).reshape(3, 2))
    dataset = dataset_from_frames(_ratings(), pd.DataFrame(MOVIES), {"mine": vectors})
    table = dataset.catalogue.modalities["mine"]
    assert table.vectors.tolist() == [[0, 1], [2, 3], [4, 5], [0, 0]]
    assert table.present.tolist() == [True, True, True, False]
    assert (table.card.dim, table.card.name) == (2, "given")


@pytest.mark.parametrize("kind", [pd.DataFrame, pa.table, _polars])
def test_features_with_ids_find_their_movies(kind: Callable[[Any], Any]) -> None:
    frame = kind({"movie": [50, 99, 1], "a": [1.0, 2.0, 3.0], "b": [4, 5, 6]})
    table = dataset_from_frames(_ratings(), pd.DataFrame(MOVIES), {"x": frame}).catalogue.modalities
    assert table["x"].vectors.tolist() == [[3, 6], [0, 0], [0, 0], [1, 4]]
    assert table["x"].present.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((2, 4)), "2 rows for 3 movies"),
        (np.zeros(3), r"have shape \(3,\)"),
        ([["a"], ["b"], ["c"]], "are not all numbers"),
        ([[1], [2, 3], [4]], "are not all numbers"),
        (np.array([[1.0, np.inf], [1, 2], [1, 2]]), "1 vectors are not finite"),
        (pd.DataFrame({"id": [1, 1], "a": [1, 2]}), "1 ids occur more than once"),
        (pd.DataFrame({"id": [8, 9], "a": [1, 2]}), "none of the 2 ids"),
        (pd.DataFrame({"id": [1, 2], "a": ["x", "y"]}), "are not all numbers"),
        (pd.DataFrame({"id": [1, 2]}), "have shape"),
        (None, "are not all numbers|have shape"),
    ],
)
def test_features_that_do_not_fit_are_refused(features: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        dataset_from_frames(_ratings(), pd.DataFrame(MOVIES), {"x": features})


def test_features_need_movies_to_be_aligned_with() -> None:
    with pytest.raises(DataError, match="features without movies"):
        dataset_from_frames(_ratings(), features={"x": np.zeros((3, 2))})


@pytest.mark.parametrize(
    "thing",
    [None, 5, [1, 2], {"user": [1]}, pd.Series([1]), object(), b"x", pd.DataFrame(), RATINGS],
)
def test_what_is_no_frame_is_refused(thing: Any) -> None:
    with pytest.raises(DataError, match=r"not a frame|empty|no column is known"):
        load_dataset(thing)
    with pytest.raises(DataError):
        dataset_from_frames(_ratings(), movies=pd.DataFrame() if thing is None else thing)


def test_frames_with_rows_or_names_amiss_are_refused() -> None:
    with pytest.raises(DataError, match="ratings is empty"):
        dataset_from_frames(_ratings().head(0))
    twice = pd.DataFrame([[1, 2, 3, 4]], columns=["user", "item", "rating", "rating"])
    with pytest.raises(DataError, match="rating"):
        dataset_from_frames(twice)
    huge = np.array([2**70, 1, 2, 3], dtype=object)
    assert _rows(dataset_from_frames(_ratings(userId=huge)))[0][0] == str(2**70)
    with pytest.raises(DataError, match="holds bool, not ids"):
        dataset_from_frames(_ratings(userId=[True, False, True, True]))
    with pytest.raises(DataError, match="holds timestamp"):
        dataset_from_frames(_ratings(movieId=WHEN))
    with pytest.raises(DataError, match="not plain values"):
        dataset_from_frames(_ratings(userId=[[1], [2], [3], [4]]))


def test_columns_may_be_numbered() -> None:
    columns: Any = {"user": 0, "item": 1, "rating": 2}
    frame = pd.DataFrame({0: [1], 1: [2], 2: [3]})
    assert _rows(dataset_from_frames(frame, columns=columns)) == [("1", "2", 3)]


def test_a_data_set_is_loaded_by_its_place(ml_100k_folder: Path) -> None:
    by_text, by_path = load_dataset(str(ml_100k_folder)), load_dataset(ml_100k_folder)
    opened = open_dataset(None, ml_100k_folder)
    fingerprints = {d.interactions.fingerprint for d in (by_text, by_path, opened)}
    assert len(fingerprints) == 1
    assert load_dataset(ml_100k_folder, scale=(0, 5)).scale == RatingScale(0, 5)
    with pytest.raises(DataError, match=r"u\.data is a file"):
        load_dataset(ml_100k_folder / "u.data")


def test_a_data_set_is_loaded_by_its_name(
    ml_100k_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(ml_100k_folder.parent))
    assert load_dataset("ml-100k").name == "ml-100k"
    monkeypatch.chdir(ml_100k_folder.parent)
    (ml_100k_folder.parent / "mine").mkdir()
    with pytest.raises(DataError, match="not found"):
        load_dataset("mine")
    for blank in ("", " "):
        with pytest.raises(DataError):
            load_dataset(blank)
    with pytest.raises(DataError, match="the data set nowhere was not found"):
        load_dataset("nowhere")
    with pytest.raises(DataError, match="there is no folder nowhere"):
        load_dataset("./nowhere")
    with pytest.raises(ConfigError, match="go with a frame of ratings"):
        load_dataset("ml-100k", columns={"user": "u"})
