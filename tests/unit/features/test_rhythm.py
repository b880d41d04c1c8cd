import numpy as np
import pytest

from recsys.features.rhythm import Rhythm

RATE = 86.0


def beats(per_minute, seconds=60):
    time = np.arange(round(seconds * RATE)) / RATE
    phase = time * per_minute / 60 % 1
    return np.exp(-((np.minimum(phase, 1 - phase) * 60 / per_minute / 0.03) ** 2))


def heard(onset, blocks=1):
    rhythm = Rhythm(RATE)
    for block in np.array_split(onset, blocks):
        rhythm.add(block)
    return rhythm.finish()


@pytest.mark.parametrize("per_minute", [60, 75, 90, 100, 120, 140, 160])
def test_the_tempo_of_steady_beats_is_found(per_minute):
    tempo, clarity = heard(beats(per_minute))
    assert tempo * 60 == pytest.approx(per_minute, rel=0.03)
    assert clarity > 0.8


def test_the_tempo_does_not_depend_on_how_the_sound_comes():
    assert heard(beats(100), blocks=37) == pytest.approx(heard(beats(100)))


def test_nothing_beats_in_silence_or_in_a_moment():
    assert heard(np.zeros(3000)) == (0, 0)
    assert heard(np.full(3000, 2.0)) == (0, 0)
    assert heard(np.zeros(0)) == (0, 0)
    assert heard(np.ones(1)) == (0, 0)


def test_noise_beats_less_clearly():
    noise = np.abs(np.random.default_rng(0).normal(size=6000))
    assert heard(noise)[1] < 0.3
