"""What probabilities of rating levels are, and what transforms them keeps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.rating import pit
from recsys.queries.rating_levels import RatingLevels, level_index

means = st.floats(-50, 50)
stds = st.floats(1e-3, 1e3)


@st.composite
def rating_levels(draw: st.DrawFn) -> RatingLevels:
    count = draw(st.integers(2, 12))
    steps = st.lists(st.floats(0.05, 3), min_size=count, max_size=count)
    values, thresholds = np.cumsum(draw(steps)), np.cumsum(draw(steps))[: count - 1]
    return RatingLevels(tuple(values.tolist()), tuple(thresholds.tolist()))


@given(levels=rating_levels(), mean=means, std=stds)
def test_probabilities_add_up(levels: RatingLevels, mean: float, std: float) -> None:
    found = levels.probabilities(np.array([mean]), np.array([std]))
    assert (found >= 0).all()
    assert abs(found.sum() - 1) < 1e-12


@given(levels=rating_levels(), mean=means, std=stds)
def test_logarithms_are_those_of_the_probabilities(
    levels: RatingLevels, mean: float, std: float
) -> None:
    count = len(levels.values)
    found = levels.probabilities(np.array([mean]), np.array([std]))[0]
    index = np.arange(count)
    log_p = levels.log_probability(np.full(count, mean), np.full(count, std), index)
    assert np.isfinite(log_p).all()
    sound = found > 1e-290
    np.testing.assert_allclose(log_p[sound], np.log(found[sound]), rtol=1e-9, atol=1e-9)


@given(levels=rating_levels(), mean=means, more=st.floats(0, 5), std=stds)
def test_a_higher_belief_never_makes_low_levels_likelier(
    levels: RatingLevels, mean: float, more: float, std: float
) -> None:
    both = levels.probabilities(np.array([mean, mean + more]), np.array([std, std]))
    below = np.cumsum(both, axis=1)
    assert (below[1] <= below[0] + 1e-12).all()
    expected, _ = levels.moments(both)
    assert expected[1] >= expected[0] - 1e-9 * max(levels.values)


@given(levels=rating_levels(), mean=means, std=stds)
def test_a_scale_read_backwards_is_the_same_belief(
    levels: RatingLevels, mean: float, std: float
) -> None:
    backwards = RatingLevels(
        tuple(-v for v in reversed(levels.values)), tuple(-t for t in reversed(levels.thresholds))
    )
    one = levels.probabilities(np.array([mean]), np.array([std]))
    other = backwards.probabilities(np.array([-mean]), np.array([std]))
    np.testing.assert_allclose(other[:, ::-1], one, rtol=1e-9, atol=1e-300)


@given(levels=rating_levels(), mean=means, std=stds)
def test_moments_stay_on_the_scale(levels: RatingLevels, mean: float, std: float) -> None:
    expected, spread = levels.moments(levels.probabilities(np.array([mean]), np.array([std])))
    low, high = levels.values[0], levels.values[-1]
    assert low - 1e-9 <= expected[0] <= high + 1e-9
    assert 0 < spread[0] <= max((high - low) / 2, 1e-3) + 1e-9


@given(levels=rating_levels(), position=st.integers(0, 11))
def test_a_level_is_found_where_it_is(levels: RatingLevels, position: int) -> None:
    values = np.asarray(levels.values)
    position %= len(values)
    assert level_index(values[[position]].astype(np.float32), values).tolist() == [position]


@given(levels=rating_levels(), seed=st.integers(0, 1000))
def test_transforms_are_within_0_and_1(levels: RatingLevels, seed: int) -> None:
    random = np.random.default_rng(seed)
    count = len(levels.values)
    probability = levels.probabilities(random.normal(0, 20, 30), np.exp(random.normal(0, 2, 30)))
    found = pit(probability, random.integers(0, count, 30))
    assert ((found >= 0) & (found <= 1)).all()
