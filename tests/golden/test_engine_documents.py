"""The documents others script against: their keys, their order, and one of them in full."""

import json
from pathlib import Path

import pytest
from support.served import served_world

from recsys.bundle import write_bundle
from recsys.engine import Engine
from recsys.recommenders.saving import restore

RECORDED = Path(__file__).with_name("engine_documents.json")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents") / "bundle"
    write_bundle(folder, served_world().contents, restore)
    return Engine.load(folder)


def documents(engine):
    person = engine.profile(["m0", "m10"], {"m11": 2})
    return {
        "user": engine.recommend("u0", 2, because=1).document(),
        "liked": engine.recommend(person, 1).document(),
        "similar": engine.similar("m5", 1).document(),
        "predict": engine.predict(person, "m5").document(),
        "movie": engine.describe("m1").document(),
    }


def shape(value):
    """Keys in their order, and types in the place of values."""
    if isinstance(value, dict):
        return [[key, shape(inner)] for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def test_keys_and_types_are_as_recorded(engine):
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert json.loads(json.dumps(shape(documents(engine)))) == recorded


def test_recommendations_begin_with_the_promised_keys(engine):
    document = documents(engine)["user"]
    promised = ["schema_version", "user", "k", "exclude_seen", "model", "items"]
    assert list(document)[:6] == promised
    movie = document["items"][0]
    assert list(movie) == ["rank", "item", "title", "year", "genres", "score", "because"]
    assert list(movie["because"][0]) == ["item", "title", "share"]
    assert "liked" not in document


def test_a_person_without_id_has_a_null_user_and_what_they_like(engine):
    document = documents(engine)["liked"]
    assert document["user"] is None
    assert [movie["item"] for movie in document["liked"]] == ["m0", "m10"]


def test_an_unknown_year_is_null_and_an_unknown_title_the_id(engine):
    document = documents(engine)["similar"]
    assert (document["title"], document["year"]) == ("movie m5", None)


def test_documents_are_plain_json(engine):
    for document in documents(engine).values():
        assert json.loads(json.dumps(document, allow_nan=False)) == document
