"""The sound of a trailer as one modality, by descriptors that need no weights.

They are running statistics over frames of ``FRAME`` samples, ``HOP``
apart: the sound is never in memory as a whole.

Legend: S samples, T frames, M mel bands, C cepstral coefficients, F frequency bins, D dimensions.
"""

from __future__ import annotations

import importlib.util
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from recsys.config.modalities import AudioConfig
from recsys.data.catalogue import EncoderCard
from recsys.errors import MissingExtra
from recsys.features.containers import media_errors
from recsys.features.decoding import NO_WEIGHTS, audio_samples, decoding
from recsys.features.media import FileStatus, MediaError
from recsys.features.running import Moments, pieces

REVISION = "2"
"""Of the descriptors; it changes whenever their values do."""

BLOCK_SECONDS = 10
"""Sound in memory at once."""

FRAME, HOP = 1024, 256
"""Samples of a frame, and from one frame to the next."""

_FLOOR = 1e-10  # of power, where a sine at full scale has 1: -100 dB
_SILENCE = -60.0  # dB

Array = NDArray[np.float64]


class AudioEncoder:
    """Statistics of log-mel, MFCC and loudness over the frames of a track."""

    name = "audio"

    def __init__(self, config: AudioConfig) -> None:
        self.config = config

    @property
    def card(self) -> EncoderCard:
        """How vectors are made."""
        config = self.config
        return EncoderCard(
            name="audio descriptors",
            revision=REVISION,
            dim=len(descriptor_names(config)),
            preprocessing=f"{decoding(config)}; one channel, {config.sample_rate} Hz, Hann frames "
            f"of {FRAME} samples every {HOP}, {config.n_mels} Slaney mel bands in dB from -100, "
            f"{config.n_mfcc} MFCC",
            pooling="mean and standard deviation over frames of log-mel, MFCC, loudness and "
            "absolute MFCC differences; silent share, peak",
            licence=NO_WEIGHTS,
            paper="Peeters, A large set of audio features, 2004",
        )

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one trailer, in memory that does not grow with its length.

        Raises:
            MediaError: the file has no sound that can be decoded.
            MissingExtra: a library that the configuration needs is not installed.
        """
        if importlib.util.find_spec("transformers") is None:
            raise MissingExtra("transformers", "trailers")
        heard = SoundStatistics(self.config)
        with media_errors(path):
            samples = audio_samples(path, self.config.sample_rate, self.config)
            for block in pieces(samples, BLOCK_SECONDS * self.config.sample_rate):
                heard.add(block)
        if not heard.frames:
            raise MediaError(FileStatus.TRUNCATED, f"{path} has less than {FRAME} samples of sound")
        return heard.vector().astype(np.float32)


def descriptor_names(config: AudioConfig) -> tuple[str, ...]:
    """What the numbers of a vector are, in their order."""
    mels = [f"mel {i}" for i in range(config.n_mels)]
    mfcc = [f"mfcc {i}" for i in range(config.n_mfcc)]
    parts = [[*mels, *mfcc, "loudness"], [f"delta {name}" for name in mfcc]]
    statistics = [f"{what} {name}" for part in parts for what in ("mean", "std") for name in part]
    return (*statistics, "silent", "peak")


class SoundStatistics:
    """Log-mel, MFCC and loudness of a stream of samples.

    Args:
        config: sampling rate and sizes.
    """

    def __init__(self, config: AudioConfig) -> None:
        self._config = config
        self._left: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._before: Array = np.zeros((0, config.n_mfcc))
        self._frames = Moments(config.n_mels + config.n_mfcc + 1)
        self._changes = Moments(config.n_mfcc)
        self._silent, self._peak = 0, 0.0

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
        moments = [part for m in (self._frames, self._changes) for part in (m.mean, m.std)]
        return np.concatenate([*moments, [self._silent / max(self.frames, 1), self._peak]])

    def _hear(self, samples: NDArray[np.float32]) -> None:
        mel = decibel(self._power(samples) @ self._filters)
        mfcc = dct(mel, norm="ortho", axis=1)[:, : self._config.n_mfcc]
        windows = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
        loudness = decibel(2 * np.mean(windows.astype(np.float64) ** 2, axis=1, keepdims=True))
        self._frames.add(np.hstack([mel, mfcc, loudness]))
        # The first frame of a block differs from the last one of the block before.
        self._changes.add(np.abs(np.diff(np.vstack([self._before, mfcc]), axis=0)))
        self._before = mfcc[-1:]
        self._silent += int((loudness <= _SILENCE).sum())
        self._peak = max(self._peak, float(np.abs(samples).max()))

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


def decibel(power: Array) -> Array:
    """10 log10 of power, no lower than -100."""
    level: Array = 10 * np.log10(np.maximum(power, _FLOOR))
    return level
