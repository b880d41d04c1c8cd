from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.data.facts import Crosswalk
from recsys.data.items_table import numeric_fact
from recsys.data.movies import Movie, build_catalogue
from recsys.data.tmdb.client import TmdbClient
from recsys.data.tmdb.settings import TmdbKeyError, TmdbSettings
from recsys.data.tmdb.store import (
    KEPT_DAYS,
    FetchReport,
    MovieStore,
    fetch_many,
    tmdb_facts,
)
from recsys.errors import DataError, OfflineError

pytestmark = pytest.mark.usefixtures("secret_free")

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture
def store(tmp_path: Path, client: TmdbClient, time: Any) -> MovieStore:
    made = MovieStore.of(client.settings, tmp_path / "tmdb")
    return MovieStore(made.folder, made.question, lambda: time.now)


def _counts(report: FetchReport) -> tuple[int, ...]:
    """Fetched, kept, not found, failed, remaining; they add up."""
    found = (report.fetched, report.kept, len(report.not_found), len(report.failed))
    assert sum(found) + report.remaining == report.total
    return (*found, report.remaining)


def test_what_is_kept_is_not_asked_for_again(
    client: TmdbClient, site: Any, store: MovieStore, behave: dict[str, Any]
) -> None:
    site.movie(3, behave["answer"]({}, 404))
    site.movie(4, *[behave["answer"]({}, 422)] * 2)
    seen: list[tuple[int, int]] = []
    report = fetch_many(
        client, ["1", "2", "1", "", "3", "4"], store, lambda *done: seen.append(done)
    )
    assert _counts(report) == (2, 0, 1, 1, 0)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert report.failed["4"].startswith("TMDB refuses movie/4: status 422")
    assert len(site.asked) == 4
    again = fetch_many(client, ["1", "2", "3", "4", "5"], store)
    assert _counts(again) == (1, 2, 1, 1, 0)
    assert site.asked[4:] == ["/3/movie/4", "/3/movie/5"]
    assert [movie["id"] for movie in store.movies(["5", "3", "1", "77"])] == [5, 1]
    names = sorted(path.name for path in store.folder.iterdir())
    assert names == ["1.json", "2.json", "3.json", "5.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda text: text[:-20],
        lambda text: text.replace("Movie 1", "Movie 9"),
        lambda text: text.replace('"id": "1"', '"id": "2"'),
        lambda _: "[]",
        lambda text: text.replace('"fetched": 1', '"fetched": -1'),
    ],
)
def test_a_damaged_file_is_fetched_again(
    client: TmdbClient, site: Any, store: MovieStore, damage: Any
) -> None:
    fetch_many(client, ["1"], store)
    path = store.folder / "1.json"
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert store.get("1") is None
    assert _counts(fetch_many(client, ["1"], store)) == (1, 0, 0, 0, 0)
    assert len(site.asked) == 2
    assert next(iter(store.movies(["1"])))["title"] == "Movie 1"


def test_an_answer_to_another_question_or_of_long_ago_does_not_count(
    client: TmdbClient, store: MovieStore, time: Any
) -> None:
    fetch_many(client, ["1"], store)
    french = MovieStore.of(TmdbSettings(language="fr-FR"), store.folder)
    assert french.get("1") is None
    time.now += (KEPT_DAYS - 1) * 86_400
    assert store.get("1") is not None
    time.now += 2 * 86_400
    assert store.get("1") is None


def test_a_server_that_is_down_is_left_alone(
    client: TmdbClient, site: Any, store: MovieStore, behave: dict[str, Any]
) -> None:
    for id_ in (2, 4, 5, 6):
        site.movie(id_, *[behave["answer"]({}, 500)] * 9)
    report = fetch_many(client, [str(n) for n in range(1, 10)], store)
    assert _counts(report) == (2, 0, 0, 4, 3)
    assert report.stopped.startswith("3 movies in a row got no answer")
    assert len(site.asked) == 2 + 4 * 4


def test_a_key_that_is_refused_ends_it_at_once(
    client: TmdbClient, site: Any, store: MovieStore, behave: dict[str, Any]
) -> None:
    site.movie(2, behave["answer"]({"status_message": "Invalid API key"}, 401))
    with pytest.raises(TmdbKeyError):
        fetch_many(client, ["1", "2", "3"], store)
    assert len(site.asked) == 2
    assert store.get("1") is not None


def test_an_interruption_loses_nothing(client: TmdbClient, site: Any, store: MovieStore) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_many(client, ["1", "2", "3", "4"], store, interrupt)
    assert _counts(fetch_many(client, ["1", "2", "3", "4"], store)) == (2, 2, 0, 0, 0)
    assert site.asked == [f"/3/movie/{n}" for n in (1, 2, 3, 4)]


CHILD = """
import sys
from pathlib import Path
from recsys.data.tmdb.client import TmdbClient
from recsys.data.tmdb.store import fetch_many
from recsys.data.tmdb.settings import Secret
from recsys.data.tmdb.settings import TmdbSettings
from recsys.data.tmdb.store import MovieStore

settings = TmdbSettings(url=sys.argv[1], rate=1e6, timeout=60)
with TmdbClient(Secret.from_environment(), settings) as client:
    store = MovieStore.of(settings, Path(sys.argv[2]))
    fetch_many(client, [str(n) for n in range(1, 9)], store)
"""


def test_killed_in_the_middle_it_asks_for_the_rest(
    client: TmdbClient, site: Any, tmp_path: Path, behave: dict[str, Any], key: str
) -> None:
    site.movie(5, behave["hang"])
    environment = {**os.environ, "TMDB_API_KEY": key, "PYTHONPATH": str(REPOSITORY)}
    folder = tmp_path / "tmdb"
    command = [sys.executable, "-c", CHILD, site.url, str(folder)]
    with subprocess.Popen(command, env=environment) as child:
        arrived = [site.arrived.acquire(timeout=60) for _ in range(5)]
        child.send_signal(signal.SIGKILL)
    assert all(arrived)
    site.asked.clear()
    store = MovieStore.of(client.settings, folder)
    report = fetch_many(client, [str(n) for n in range(1, 9)], store)
    assert _counts(report) == (4, 4, 0, 0, 0)
    assert site.asked == [f"/3/movie/{n}" for n in (5, 6, 7, 8)]


def test_offline_what_is_kept_is_enough(
    client: TmdbClient, site: Any, store: MovieStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_many(client, ["1", "2"], store)
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    assert _counts(fetch_many(client, ["1", "2"], store)) == (0, 2, 0, 0, 0)
    with pytest.raises(OfflineError, match="movie/3 is needed from TMDB"):
        fetch_many(client, ["1", "3"], store)
    assert len(site.asked) == 2


def test_an_id_never_leaves_the_folder(client: TmdbClient, store: MovieStore) -> None:
    with pytest.raises(DataError, match="is no TMDB id"):
        fetch_many(client, ["../../etc/passwd"], store)


def test_a_folder_that_cannot_be_written_is_named(client: TmdbClient, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = MovieStore.of(client.settings, tmp_path / "file")
    with pytest.raises(DataError, match=r"1\.json cannot be written"):
        fetch_many(client, ["1"], store)


ANSWER = {
    "id": 862,
    "title": "Toy Story",
    "original_title": "Toy Story",
    "release_date": "1995-10-30",
    "overview": "Led by Woody, Andy's toys live happily.",
    "tagline": "",
    "original_language": "en",
    "runtime": 81,
    "budget": 30000000,
    "revenue": 373554033,
    "vote_average": 7.7,
    "genres": [{"id": 16, "name": "Animation"}, {"id": 35, "name": "Comedy"}],
    "belongs_to_collection": {"id": 10194, "name": "Toy Story Collection"},
    "production_companies": [{"id": 3, "name": "Pixar"}],
    "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
    "credits": {
        "cast": [{"name": f"Actor {n}", "order": n} for n in range(12)],
        "crew": [
            {"name": "John Lasseter", "job": "Director"},
            {"name": "Joss Whedon", "job": "Screenplay"},
            {"name": "Randy Newman", "job": "Music"},
        ],
    },
    "release_dates": {
        "results": [
            {"iso_3166_1": "GB", "release_dates": [{"certification": "PG"}]},
            {"iso_3166_1": "US", "release_dates": [{"certification": ""}, {"certification": "G"}]},
        ]
    },
}


def test_answers_become_facts_as_any_table_does() -> None:
    movies = [Movie("1"), Movie("2", "Heat", 1995), Movie("3", "Ran", 1985)]
    catalogue = build_catalogue(movies, (), "toy")
    ids = Crosswalk.read("item_id,movielens_id,imdb_id,tmdb_id\n1,1,,862\n2,6,,949\n3,7,,5\n")
    bare = {"id": 949, "credits": None, "release_dates": {"results": None}, "budget": 0}
    known, report = tmdb_facts(catalogue, [ANSWER, bare], ids, ratings=np.array([1, 1, 2]))
    assert {name: values[0] for name, values in known.facts.items()} == {
        "overview": ("Led by Woody, Andy's toys live happily.",),
        "tagline": (),
        "language": ("en",),
        "runtime": ("81",),
        "budget": ("30000000",),
        "company": ("Pixar",),
        "country": ("United States of America",),
        "collection": ("Toy Story Collection",),
        "content_rating": ("G",),
        "actor": tuple(f"Actor {n}" for n in range(10)),
        "director": ("John Lasseter",),
        "writer": ("Joss Whedon",),
        "producer": (),
        "cinematographer": (),
    }
    assert not any(values[1] or values[2] for values in known.facts.values())
    assert known.display_title(0) == "Toy Story (1995)"
    assert known.genres_of(0) == ["Animation", "Comedy"]
    assert (report.source, report.used, report.matched.present) == ("TMDB", 2, 2)
    assert set(report.left_out) == {"vote_average", "vote_count", "popularity", "revenue"}
    assert np.isnan(numeric_fact(known, "budget")[1])


def test_what_is_kept_is_readable_by_anybody(client: TmdbClient, store: MovieStore) -> None:
    fetch_many(client, ["1"], store)
    document = json.loads((store.folder / "1.json").read_text(encoding="utf-8"))
    assert document["question"] == "en-US; credits,release_dates"
    assert document["movie"] == {"id": 1, "title": "Movie 1", "overview": "An ærial plot."}
