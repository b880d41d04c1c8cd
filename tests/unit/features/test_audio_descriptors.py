import numpy as np
import pytest
from support.trailers import RATE, clicks, tone

from recsys.config.modalities import AudioConfig
from recsys.features.audio import SoundStatistics, decibel, descriptor_names

pytest.importorskip("transformers")

CONFIG = AudioConfig()


def heard(sound, config=CONFIG, blocks=1):
    statistics = SoundStatistics(config)
    for block in np.array_split(sound.astype(np.float32), blocks):
        statistics.add(block)
    return dict(zip(descriptor_names(config), statistics.vector(), strict=True))


def test_a_sine_at_full_scale_is_as_loud_as_it_can_be():
    found = heard(tone(2, gain=1.0))
    assert found["mean loudness"] == pytest.approx(0, abs=0.05)
    assert found["peak"] == pytest.approx(1, abs=1e-3)
    assert found["silent"] == 0


def test_loudness_follows_gain():
    levels = [heard(tone(2, gain=g))["mean loudness"] for g in (0.01, 0.1, 0.2, 0.4)]
    assert np.diff(levels) == pytest.approx([20, 6.02, 6.02], abs=0.05)


def test_the_loudest_mel_band_climbs_with_the_frequency():
    bands = []
    for hertz in (200, 800, 2000, 6000):
        found = heard(tone(1, hertz))
        bands.append(int(np.argmax([found[f"mean mel {i}"] for i in range(CONFIG.n_mels)])))
    assert bands == sorted(set(bands))


def test_silence_is_finite_and_silent():
    found = heard(np.zeros(2 * RATE))
    assert np.isfinite(list(found.values())).all()
    assert (found["silent"], found["mean loudness"], found["peak"]) == (1, -100, 0)
    assert found["mean delta mfcc 1"] == 0


def test_a_click_on_the_edge_of_a_window_is_finite():
    sound = np.zeros(RATE)
    sound[256] = 1
    assert np.isfinite(list(heard(sound).values())).all()


def test_half_of_the_sound_is_silent():
    assert heard(np.concatenate([tone(5), np.zeros(5 * RATE)]))["silent"] == pytest.approx(
        0.5, abs=0.01
    )


def test_a_steady_tone_has_small_differences():
    steady, busy = heard(tone(10)), heard(clicks(10, 200))
    assert steady["mean delta mfcc 1"] < busy["mean delta mfcc 1"]


@pytest.mark.parametrize("blocks", [2, 7, 300])
def test_statistics_do_not_depend_on_how_the_sound_comes(blocks):
    sound = np.concatenate([tone(3), clicks(3, 100), tone(3, 2000)])
    whole, parts = heard(sound), heard(sound, blocks=blocks)
    np.testing.assert_allclose(list(whole.values()), list(parts.values()), rtol=1e-6, atol=1e-8)


def test_mel_bands_are_those_of_a_spectrogram_by_scipy():
    """SciPy's windows and frames, and triangles drawn from Slaney's formula."""
    from scipy.signal import ShortTimeFFT, get_window

    sound = np.concatenate([tone(1, 500), clicks(1, 200)])
    window = get_window("hann", 1024)
    stft = ShortTimeFFT(window / (window.sum() / 2), 256, RATE)
    frames = (len(sound) - 1024) // 256 + 1
    power = np.abs(stft.stft(sound.astype(float), p0=2, p1=2 + frames)) ** 2
    hertz = slaney_hertz(np.linspace(0, slaney_mel(RATE / 2), 66))
    frequency = np.arange(513) * RATE / 1024
    bands = [np.interp(frequency, hertz[i : i + 3], [0, 1, 0], left=0, right=0) for i in range(64)]
    expected = decibel(np.array(bands) @ power).mean(axis=1)
    found = heard(sound)
    np.testing.assert_allclose([found[f"mean mel {i}"] for i in range(64)], expected, atol=0.05)


def slaney_mel(hertz):
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def slaney_hertz(mel):
    return np.where(mel < 15, 200 * mel / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def test_other_sizes_make_other_widths():
    config = AudioConfig(sample_rate=16_000, n_mels=32, n_mfcc=13)
    assert len(heard(tone(1), config)) == 2 * (32 + 13 + 1 + 13) + 2


def test_less_than_a_frame_is_nothing():
    statistics = SoundStatistics(CONFIG)
    statistics.add(np.ones(1023, dtype=np.float32))
    assert statistics.frames == 0
    statistics.add(np.ones(1, dtype=np.float32))
    assert statistics.frames == 1
