import numpy as np
import pytest
from support.served import COLD, N_ITEMS

from recsys.bundle import write_bundle
from recsys.engine import Engine, Filters, NewMovie
from recsys.errors import DataError, UnknownIdError
from recsys.recommenders.saving import restore


def new_movie(features, row, /, **changes):
    vectors = {name: table[row] for name, table in features.items()}
    arguments = {"id": "new", "title": "Fresh", "features": vectors, "year": 2024} | changes
    return NewMovie(**arguments)


@pytest.mark.parametrize("row", COLD.tolist())
def test_the_content_of_a_cold_movie_gives_its_vectors(engine, features, row):
    grown = engine.add_movie(new_movie(features, row))
    for array in grown.model.model.movies.arrays().values():
        np.testing.assert_allclose(array[-1], array[row], atol=1e-5)
        assert array.dtype == np.float32


def test_the_new_movie_is_found_everywhere(engine, features):
    grown = engine.add_movie(new_movie(features, 3, genres=("drama",)))
    assert grown.catalogue.find("fresh (2024)") == N_ITEMS
    answer = grown.recommend("u0", N_ITEMS, filters=Filters(years=(2024, 2024)))
    assert [(m.item, m.title, m.genres) for m in answer.items] == [("new", "Fresh", ["Drama"])]
    shares = [entry.share for entry in answer.items[0].because]
    assert sum(shares) == pytest.approx(answer.items[0].score, abs=1e-4)
    assert len(grown.similar("new", 5).items) == 5
    assert 1 <= grown.predict("u0", "new").mean <= 5
    liked = grown.recommend(grown.profile(["new"]), 3)
    assert [movie.item for movie in liked.liked] == ["new"]


def test_nothing_else_changes(engine, features):
    before = engine.label
    grown = engine.add_movie(new_movie(features, 3))
    assert (len(engine.catalogue), engine.label) == (N_ITEMS, before)
    assert grown.label != before
    others = [m for m in grown.recommend("u0", N_ITEMS).items if m.item != "new"]
    old = engine.recommend("u0", N_ITEMS).items
    assert [(m.item, m.because) for m in others] == [(m.item, m.because) for m in old]


def test_one_modality_is_enough(engine, features):
    grown = engine.add_movie(NewMovie("new", "Fresh", {"text": features["text"][2]}))
    expected = engine.model.tower.embed({"text": features["text"][2:3]})
    np.testing.assert_allclose(grown.model.model.movies.liked[-1], expected.liked[0], atol=1e-6)
    assert grown.recommend(grown.profile(["new"]), 1).liked[0].title == "Fresh"


def test_a_grown_engine_can_be_bundled(engine, features, tmp_path):
    grown = engine.add_movie(new_movie(features, 3))
    write_bundle(tmp_path / "grown", grown.contents, restore)
    again = Engine.load(str(tmp_path / "grown"))
    assert again.label == grown.label
    assert again.recommend("u0") == grown.recommend("u0")


def test_movies_can_be_added_one_after_the_other(engine, features):
    grown = engine.add_movie(new_movie(features, 3)).add_movie(new_movie(features, 4, id="newer"))
    assert grown.catalogue.items.ids[-2:] == ("new", "newer")


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"id": "m4"}, DataError, "id 'm4' is taken by Movie"),
        ({"genres": ("Dramma",)}, UnknownIdError, "unknown genre"),
        ({"features": {}}, DataError, "no content vector"),
        ({"features": {"text": np.full(7, np.nan)}}, DataError, "no content vector"),
        ({"features": {"poster": np.zeros(7)}}, DataError, "does not read modality"),
        ({"features": {"text": np.zeros(8)}}, DataError, "have shape"),
    ],
)
def test_movies_that_cannot_be_added(engine, features, changes, error, match):
    with pytest.raises(error, match=match):
        engine.add_movie(new_movie(features, 3, **changes))
