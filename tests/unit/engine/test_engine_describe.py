"""One movie as the model sees it."""

from __future__ import annotations

import numpy as np
import pytest
from support.served import COLD, NAMELESS

from recsys.engine import Engine
from recsys.errors import UnknownIdError


def test_weights_of_modalities_are_those_of_the_model(engine: Engine) -> None:
    model = engine.model
    for row in (0, NAMELESS, int(COLD[0])):
        described = engine.describe(engine.catalogue.items.id(row))
        assert list(described.modality_weights) == list(model.tower.modalities)
        found = list(described.modality_weights.values())
        np.testing.assert_allclose(found, model.model.movies.modality_weights[row], atol=1e-6)
        assert sum(found) == pytest.approx(1, abs=1e-5)


def test_genres_are_all_there_likeliest_first(engine: Engine) -> None:
    described = engine.describe("m3")
    probabilities = [found.probability for found in described.predicted_genres]
    assert probabilities == sorted(probabilities, reverse=True)
    assert {found.genre for found in described.predicted_genres} == set(
        engine.catalogue.genre_names
    )
    assert described.genres == engine.catalogue.genres_of(3)


def test_the_audience_score_is_on_the_scale_with_its_interval(engine: Engine) -> None:
    scale = engine.context.histories.scale
    for row in range(len(engine.catalogue)):
        audience = engine.describe(engine.catalogue.items.id(row)).audience
        low, high = audience.interval80
        assert scale.low <= low <= audience.mean <= high <= scale.high
        assert audience.std > 0


def test_a_movie_nobody_rated_says_so(engine: Engine) -> None:
    cold = engine.describe(engine.catalogue.items.id(int(COLD[0])))
    assert cold.ratings == 0
    assert "nobody rated this movie" in cold.notes[0]
    counts = engine.context.histories.item_counts()
    assert engine.describe("m0").ratings == counts[0] > 0
    assert not engine.describe("m0").notes


def test_an_unknown_movie_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownIdError):
        engine.describe("no such movie")
