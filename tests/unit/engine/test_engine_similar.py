from dataclasses import replace

import numpy as np
import pytest
from support.served import N_ITEMS, TWINS, with_parts

from recsys.engine import Engine
from recsys.errors import ConfigError, UnknownIdError
from recsys.recommenders.saving import restore


def with_ranked(engine, change):
    """The engine with other out-embeddings."""
    model = engine.model.model
    ranked = model.movies.ranked.copy()
    change(ranked)
    changed = replace(model, movies=replace(model.movies, ranked=ranked))
    return Engine.from_model(restore(with_parts(engine.contents, model=changed)))


def test_cosines_of_out_embeddings_without_bias(engine):
    vectors = engine.model.model.movies.ranked[:, :-1].astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    answer = engine.similar("m20", 5)
    assert (answer.item, answer.year, answer.k) == ("m20", 1980, 5)
    for movie in answer.items:
        row = engine.catalogue.items.row(movie.item)
        expected = vectors[20] @ vectors[row] / norms[20] / norms[row]
        assert movie.similarity == pytest.approx(expected, abs=1e-5)
    found = [movie.similarity for movie in answer.items]
    assert found == sorted(found, reverse=True)


def test_the_bias_does_not_count(engine):
    def popular(ranked):
        ranked[33, -1] += 100

    assert with_ranked(engine, popular).similar("m20", 9).items == engine.similar("m20", 9).items


def test_a_film_is_not_similar_to_itself(engine):
    answer = engine.similar(f"m{TWINS[0]}", N_ITEMS)
    assert not {f"m{row}" for row in TWINS} & {movie.item for movie in answer.items}
    assert len(answer.items) == answer.available == N_ITEMS - 2
    assert "only 38 movies are left" in answer.notes[0]


def test_each_film_is_listed_once(engine):
    items = [movie.item for movie in engine.similar("m20", N_ITEMS).items]
    assert len(items) == N_ITEMS - 2
    assert len({f"m{row}" for row in TWINS} & set(items)) == 1


def test_movies_of_which_nothing_is_known_are_similar_to_nothing(engine):
    def forget(ranked):
        ranked[[20, 21], :-1] = 0

    forgetful = with_ranked(engine, forget)
    alone = forgetful.similar("m20", 3)
    assert (alone.items, alone.available) == ([], 0)
    assert alone.notes
    others = [movie.item for movie in forgetful.similar("m22", N_ITEMS).items]
    assert not {"m20", "m21"} & set(others)


def test_impossible_questions(engine):
    with pytest.raises(ConfigError, match="k is 0"):
        engine.similar("m1", 0)
    with pytest.raises(UnknownIdError):
        engine.similar("zzz", 1)
