"""What a trailer sounds like, without any weights.

Every statistic is a running one over frames of ``FRAME`` samples, ``HOP`` apart: the sound is
never in memory as a whole.

Legend: S samples, T frames, M mel bands, C cepstral coefficients, F frequency bins.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from recsys.config.trailers import AudioConfig
from recsys.features.rhythm import Rhythm
from recsys.features.running import Moments

FRAME, HOP = 1024, 256
"""Samples of a frame, and from one frame to the next."""

SPECTRAL = ("centroid", "bandwidth", "rolloff", "flatness", "zero crossings")
"""Descriptors of a frame that is not silent; the first three in kHz."""

_FLOOR = 1e-10  # of power, where a sine at full scale has 1: -100 dB
_NOTHING = 1e-12  # of magnitude: a click where the window is 0 has none
_SILENCE = -60.0  # dB
_ROLLOFF = 0.85

Array = NDArray[np.float64]


def descriptor_names(config: AudioConfig) -> tuple[str, ...]:
    """What the numbers of a vector are, in their order."""
    mels = [f"mel {i}" for i in range(config.n_mels)]
    mfcc = [f"mfcc {i}" for i in range(config.n_mfcc)]
    deltas = [f"delta {name}" for name in mfcc]
    parts = [mels, mfcc, ["loudness"], list(SPECTRAL), deltas, ["onset"]]
    statistics = [f"{what} {name}" for part in parts for what in ("mean", "std") for name in part]
    return (*statistics, "silent", "peak", "tempo", "pulse clarity")


class SoundStatistics:
    """Log-mel, MFCC, spectrum, loudness and rhythm of a stream of samples.

    Args:
        config: sampling rate and sizes.
    """

    def __init__(self, config: AudioConfig) -> None:
        self._config = config
        self._left: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._before: tuple[Array, Array] | None = None
        self._frames = Moments(config.n_mels + config.n_mfcc + 1)
        self._spectra = Moments(len(SPECTRAL))
        self._changes = Moments(config.n_mfcc + 1)
        self._rhythm = Rhythm(config.sample_rate / HOP)
        self._peak = 0.0

    @property
    def frames(self) -> int:
        """Frames that were heard."""
        return self._frames.count

    def add(self, block: NDArray[np.float32]) -> None:
        """Hear (S,) more samples."""
        samples = np.concatenate([self._left, block])
        count = (len(samples) - FRAME) // HOP + 1
        if count < 1:
            self._left = samples
            return
        self._left = samples[count * HOP :]
        self._hear(samples[: (count - 1) * HOP + FRAME])

    def vector(self) -> Array:
        """The statistics, named by ``descriptor_names``."""
        c = self._config
        frames = by_part(self._frames, [c.n_mels, c.n_mfcc])
        spectra, changes = by_part(self._spectra, []), by_part(self._changes, [c.n_mfcc])
        rest = [1 - self._spectra.count / max(self.frames, 1), self._peak, *self._rhythm.finish()]
        return np.concatenate([frames, spectra, changes, rest])

    def _hear(self, samples: NDArray[np.float32]) -> None:
        power = self._power(samples)
        mel = decibel(power @ self._filters)
        mfcc = dct(mel, norm="ortho", axis=1)[:, : self._config.n_mfcc]
        windows = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
        loudness = decibel(2 * np.mean(windows.astype(np.float64) ** 2, axis=1, keepdims=True))
        loud = loudness[:, 0] > _SILENCE
        crossings = np.mean(np.diff(np.signbit(windows[loud]), axis=1), axis=1)
        spectra = spectrum(power[loud], self._config.sample_rate)
        self._frames.add(np.hstack([mel, mfcc, loudness]))
        self._spectra.add(np.column_stack([spectra, crossings]))
        self._peak = max(self._peak, float(np.abs(samples).max()))
        self._change(mel, mfcc)

    def _change(self, mel: Array, mfcc: Array) -> None:
        """Take the differences of consecutive frames, those of two blocks included."""
        before = self._before or (mel[:0], mfcc[:0])
        mel_all, mfcc_all = np.vstack([before[0], mel]), np.vstack([before[1], mfcc])
        self._before = mel[-1:], mfcc[-1:]
        onset = np.maximum(np.diff(mel_all, axis=0), 0).mean(axis=1)
        self._changes.add(np.column_stack([np.abs(np.diff(mfcc_all, axis=0)), onset]))
        self._rhythm.add(onset)

    def _power(self, samples: NDArray[np.float32]) -> Array:
        """(T, F) power of each frame, 1 for a sine at full scale."""
        from transformers.audio_utils import spectrogram

        power: Array = spectrogram(
            samples, self._window, FRAME, HOP, fft_length=FRAME, power=2.0, center=False
        )
        frames: Array = power.T
        return frames

    @cached_property
    def _window(self) -> Array:
        from transformers.audio_utils import window_function

        window: Array = window_function(FRAME, "hann")
        return np.asarray(window / (window.sum() / 2))

    @cached_property
    def _filters(self) -> Array:
        """(F, M), Slaney's as librosa has them."""
        from transformers.audio_utils import mel_filter_bank

        rate = self._config.sample_rate
        filters: Array = mel_filter_bank(
            num_frequency_bins=FRAME // 2 + 1,
            num_mel_filters=self._config.n_mels,
            min_frequency=0.0,
            max_frequency=rate / 2,
            sampling_rate=rate,
            mel_scale="slaney",
        )
        return filters


def by_part(moments: Moments, widths: list[int]) -> Array:
    """Mean and standard deviation of the first widths[0] numbers, then of the next ones."""
    both = np.stack([moments.mean, moments.std])
    return np.concatenate([part.ravel() for part in np.split(both, np.cumsum(widths), axis=1)])


def decibel(power: Array) -> Array:
    """10 log10 of power, no lower than -100."""
    level: Array = 10 * np.log10(np.maximum(power, _FLOOR))
    return level


def spectrum(power: Array, rate: int) -> Array:
    """(T, 4) centroid, bandwidth and roll-off of magnitude in kHz, and flatness of power.

    Peeters, "A large set of audio features for sound description", 2004, section 6.

    Args:
        power: (T, F), of frames that are not silent.
        rate: samples a second.
    """
    frequency = np.linspace(0, rate / 2000, power.shape[1])
    magnitude = np.maximum(np.sqrt(power), _NOTHING)
    share = magnitude / magnitude.sum(axis=1, keepdims=True)
    centroid = share @ frequency
    bandwidth = np.sqrt(np.maximum(share @ frequency**2 - centroid**2, 0))
    rolloff = frequency[np.argmax(share.cumsum(axis=1) >= _ROLLOFF, axis=1)]
    floored = np.maximum(power, _FLOOR)
    flatness = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    return np.column_stack([centroid, bandwidth, rolloff, flatness])
