from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.data.dataset import Dataset, Reading
from recsys.data.interactions import RatingScale
from recsys.data.readers import atomic, table
from recsys.data.readers.grouplens import ML_1M, ML_100K
from recsys.data.sources import FORMATS
from recsys.errors import DataError

Write = Callable[[str, str | bytes], Path]
STARS = Reading("toy", RatingScale())
HALF_STARS = Reading("toy", RatingScale(0.5, 5))


def _ratings(dataset: Dataset) -> list[tuple[str, str, float]]:
    """User, item and rating, by id, in order."""
    ratings = dataset.interactions
    rows = zip(ratings.user, ratings.item, ratings.rating, strict=True)
    return [(ratings.users.id(u), ratings.items.id(i), float(r)) for u, i, r in rows]


def test_movielens_100k(ml_100k_folder: Path) -> None:
    dataset = ML_100K.read(ml_100k_folder, STARS)
    expected = [("7", "2", 3), ("7", "1", 5), ("10", "1", 4), ("9", "50", 1), ("10", "4", 2)]
    assert _ratings(dataset) == expected
    assert dataset.interactions.time is not None
    assert dataset.interactions.time.tolist() == [881250949, 881250950, 881250951, 0, 881250952]
    catalogue = dataset.catalogue
    assert catalogue.items.ids == ("1", "2", "3", "4", "5", "50")
    assert catalogue.display_title(0) == "Toy Story (1995)"
    assert catalogue.display_title(1) == "Usual Suspects, The (1995)"
    assert catalogue.titles[2:] == ("Misérables, Les", "", "Land Before Time III, The", "")
    assert catalogue.genres_of(0) == ["Animation", "Children's", "Comedy"]
    assert "unknown" not in catalogue.genre_names
    assert dataset.interactions.users.ids == ("7", "9", "10")
    assert (dataset.report.total, dataset.report.good) == (5, 5)
    assert dataset.origin == ml_100k_folder


def test_movielens_100k_without_its_movie_file(ml_100k_folder: Path) -> None:
    (ml_100k_folder / "u.item").unlink()
    dataset = ML_100K.read(ml_100k_folder, STARS)
    assert dataset.catalogue.items.ids == ("1", "2", "4", "50")
    assert dataset.catalogue.genres.shape == (4, 0)


def test_movielens_1m(write: Write) -> None:
    write("ratings.dat", "1::1193::5::978300760\n6::2::3::978300761\n")
    movies = "2::Crow: Wicked Prayer, The (2005)::Action|Fantasy\n1193::Léon (1994)::Drama\n"
    path = write("movies.dat", movies.encode("latin-1"))
    dataset = ML_1M.read(path.parent, STARS)
    assert _ratings(dataset) == [("1", "1193", 5), ("6", "2", 3)]
    assert dataset.catalogue.titles == ("Crow: Wicked Prayer, The", "Léon")
    assert dataset.catalogue.years.tolist() == [2005, 1994]
    assert dataset.catalogue.genres_of(0) == ["Action", "Fantasy"]


def test_movielens_csv(write: Write) -> None:
    write(
        "ratings.csv", "userId,movieId,rating,timestamp\n1,2,0.5,1112486027\n1,9,4.5,1112486028\n"
    )
    movies = 'movieId,title,genres\n9,"Crow, The (1994)",Action|Crime\n2,Nôtre,(no genres listed)\n'
    path = write("movies.csv", movies)
    dataset = FORMATS["movielens-csv"].read(path.parent, HALF_STARS)
    assert _ratings(dataset) == [("1", "2", 0.5), ("1", "9", 4.5)]
    assert dataset.catalogue.titles == ("Crow, The", "Nôtre")
    assert dataset.catalogue.years.tolist() == [1994, UNKNOWN_YEAR]
    assert dataset.catalogue.genres_of(0) == ["Action", "Crime"]
    assert dataset.catalogue.genres_of(1) == []


NAMED = table.RatingColumns(user="who", item="what", rating="stars", time="when")
ITEMS = table.ItemsFile(file="films.csv", item="key", title="name", year="released", genres="tags")


def test_a_table_with_named_columns_in_any_order(write: Write) -> None:
    write("log.csv", "stars,x,what,who,when\n4,_,b,007,5\n2,_,a,7,6\n")
    films = 'key,name,released,tags\nb,"Two\nlines",1999-05-01,"Drama; War"\na,One (1990),,\n'
    path = write("films.csv", films)
    items = ITEMS.model_copy(update={"separator": ";"})
    files = table.TableFiles(ratings="log.csv", columns=NAMED, items=items)
    dataset = table.read(path.parent, files, STARS)
    assert _ratings(dataset) == [("007", "b", 4), ("7", "a", 2)]
    assert dataset.catalogue.titles == ("Two\nlines", "One")
    assert dataset.catalogue.years.tolist() == [1999, 1990]
    assert dataset.catalogue.genres_of(0) == ["Drama", "War"]


def test_parquet_and_csv_give_the_same_dataset(tmp_path: Path) -> None:
    ratings = pd.DataFrame(
        {"who": [1, 2, 2], "what": ["a", "a", "b"], "stars": [4.0, 2.5, 5.0], "when": [7, 8, 9]}
    )
    films = pd.DataFrame(
        {
            "key": ["b", "a"],
            "name": ["Two", "One"],
            "released": [1999, 2001],
            "tags": ["War", "A|B"],
        }
    )
    for frame, name in ((ratings, "log"), (films, "films")):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
    found = [
        table.read(
            tmp_path,
            table.TableFiles(
                ratings=f"log.{kind}",
                columns=NAMED,
                items=ITEMS.model_copy(update={"file": f"films.{kind}"}),
            ),
            STARS,
        )
        for kind in ("csv", "parquet")
    ]
    assert found[0].interactions.fingerprint == found[1].interactions.fingerprint
    assert found[0].catalogue.titles == found[1].catalogue.titles == ("Two", "One")
    assert found[0].catalogue.genre_names == found[1].catalogue.genre_names == ("A", "B", "War")


def test_bad_rows_of_a_parquet_file_are_named_by_row(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"user": [1.0, None, 3.0], "item": [1, 1, 1], "rating": [4.0, 4.0, None], "time": [1, 2, 3]}
    )
    frame["time"] = pd.to_datetime(frame["time"], unit="s", utc=True)
    frame.to_parquet(tmp_path / "ratings.parquet")
    files = table.TableFiles(ratings="ratings.parquet", columns=table.RatingColumns(time="time"))
    dataset = table.read(tmp_path, files, Reading("toy", RatingScale(), "quarantine"))
    assert _ratings(dataset) == [("1", "1", 4)]
    assert dataset.interactions.time is not None
    assert dataset.interactions.time.tolist() == [1]
    assert [row.line for row in dataset.report.bad] == [2, 3]
    assert "user=None" in dataset.report.bad[0].text


def test_a_file_that_is_not_parquet_is_refused(write: Write) -> None:
    path = write("ratings.parquet", "user,item,rating\n")
    with pytest.raises(DataError, match="is not a Parquet file"):
        table.read(path.parent, table.TableFiles(ratings=path.name), STARS)


@pytest.mark.parametrize(
    ("films", "message"),
    [
        ("key,name\n1,a\n", "no column 'released'"),
        ("key,name,released,tags\n1,a,1990\n", "3 fields, not 4"),
        ("key,name,released,tags\n1,a,1990,b,c\n", "5 fields, not 4"),
        ("key,name,released,tags\n1,a,1990,b\n1,a,1990,b,c\n", "5 fields, not 4"),
    ],
)
def test_a_broken_movie_table_is_refused(write: Write, films: str, message: str) -> None:
    path = write("films.csv", films)
    with pytest.raises(DataError, match=message) as refused:
        table.read_movies(path, ITEMS)
    assert str(path) in str(refused.value)


def test_recbole_atomic_files(write: Write) -> None:
    write(
        "toy.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\tb\t4\t5.0\n"
    )
    item = (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "a\tToy Story\t1995\tAnimation  Children's Comedy\n"
        "b\tunkonwn\tunkonwn\tunknown\n"
    )
    path = write("toy.item", item)
    dataset = atomic.read(path.parent, STARS)
    assert _ratings(dataset) == [("1", "b", 4)]
    assert dataset.interactions.time is not None
    assert dataset.interactions.time.tolist() == [5]
    assert dataset.catalogue.display_title(0) == "Toy Story (1995)"
    assert dataset.catalogue.genres_of(0) == ["Animation", "Children's", "Comedy"]
    assert dataset.catalogue.display_title(1) == "movie b"


def test_atomic_columns_have_the_types_of_their_headers(write: Write) -> None:
    header = "user_id:token\tage:float\ttags:token_seq\tvector:float_seq"
    path = write("toy.user", f"{header}\n007\t24\ta  b\t1 2.5\n8\t3.5\t\t\n")
    assert atomic.read_atomic(path) == {
        "user_id": ["007", "8"],
        "age": [24.0, 3.5],
        "tags": [("a", "b"), ()],
        "vector": [(1.0, 2.5), ()],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("user_id:token\tage\n1\t2\n", "column 'age'"),
        ("user_id:token\tage:int\n1\t2\n", "column 'age:int'"),
        ("user_id:token\tage:float\n1\told\n", "column 'age' is not all float"),
    ],
)
def test_a_header_without_a_known_type_is_refused(write: Write, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        atomic.read_atomic(write("toy.user", content))


def test_a_file_of_which_no_row_is_good_is_an_error_even_in_quarantine(write: Write) -> None:
    path = write("u.data", "1\t1\t9\t5\n1\t2\tx\t5\n")
    with pytest.raises(DataError, match="none of the 2 rows") as refused:
        ML_100K.read(path.parent, Reading("toy", RatingScale(), "quarantine"))
    assert refused.value.count == 2
