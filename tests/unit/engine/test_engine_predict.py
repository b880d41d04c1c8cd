from statistics import NormalDist

import numpy as np
import pytest

from recsys.errors import UnknownIdError


def test_mean_and_std_are_those_of_the_model(engine):
    person = engine.user("u4")
    unseen = int(np.flatnonzero(~person.seen)[0])
    expected = engine.model.predict_ratings(person.query, np.array([0]), np.array([unseen]))
    found = engine.predict("u4", f"m{unseen}")
    assert found.mean == pytest.approx(expected.mean[0], abs=1e-6)
    assert found.std == pytest.approx(expected.std[0], abs=1e-6)
    assert (found.user, found.item, found.notes) == ("u4", f"m{unseen}", [])
    assert found == engine.predict(person, f"m{unseen}")


def test_the_interval_is_normal_and_stays_on_the_scale(engine):
    z, scale = NormalDist().inv_cdf(0.9), engine.context.histories.scale
    for row in range(len(engine.catalogue)):
        found = engine.predict("u4", f"m{row}")
        low, high = found.interval80
        assert low == pytest.approx(max(found.mean - z * found.std, scale.low), abs=1e-5)
        assert high == pytest.approx(min(found.mean + z * found.std, scale.high), abs=1e-5)
        assert scale.low <= low <= found.mean <= high <= scale.high


def test_a_rating_that_is_already_known_is_pointed_out(engine):
    rated = int(engine.user("u4").rated[0])
    assert "own rating" in engine.predict("u4", f"m{rated}").notes[0]


def test_a_person_who_names_movies_gets_stars_too(engine):
    harsh = engine.profile(ratings={f"m{row}": 1.0 for row in range(10)})
    kind = engine.profile(ratings={f"m{row}": 5.0 for row in range(10)})
    assert engine.predict(harsh, "m30").user is None
    rows = np.arange(40)
    first = np.zeros(40, dtype=int)
    harsh_mean = engine.model.predict_ratings(harsh.query, first, rows).mean.mean()
    assert harsh_mean < engine.model.predict_ratings(kind.query, first, rows).mean.mean()


def test_unknown_names(engine):
    with pytest.raises(UnknownIdError, match="user"):
        engine.predict("nobody", "m1")
    with pytest.raises(UnknownIdError, match="movie"):
        engine.predict("u1", "no such film")
