"""The sound of a trailer as one modality.

Legend: S samples, D dimensions.
"""

from __future__ import annotations

import importlib.util
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.trailers import AudioConfig
from recsys.data.catalogue import EncoderCard
from recsys.errors import MissingExtra
from recsys.features.audio_descriptors import (
    FRAME,
    HOP,
    SoundStatistics,
    descriptor_names,
)
from recsys.features.audio_pretrained import PretrainedAudio
from recsys.features.cards import NO_WEIGHTS, decoding, joined, pyav_version
from recsys.features.media import MediaError, Status
from recsys.features.running import pieces

REVISION = "1"
"""Of the descriptors; it changes whenever their values do."""

BLOCK_SECONDS = 10
"""Sound in memory at once."""


class AudioEncoder:
    """Descriptors that need no weights, and a pretrained encoder pooled over pieces of the track.

    Nothing is loaded before it is needed, so an encoder can be made anew in every process.
    """

    name = "audio"

    def __init__(self, config: AudioConfig) -> None:
        self.config = config

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made.

        Raises:
            ConfigError: the weights cannot be used.
            MissingExtra: a library that the configuration needs is not installed.
            OfflineError: weights must be downloaded, and the network is out of reach.
        """
        parts = [descriptor_card(self.config)] if self.config.kind != "pretrained" else []
        if self._pretrained is not None:
            parts.append(self._pretrained.card)
        return joined(parts)

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one trailer.

        Raises:
            ConfigError: the weights cannot be used.
            MediaError: the file has no sound that can be decoded.
            MissingExtra: a library that the configuration needs is not installed.
        """
        require_libraries()
        parts: list[NDArray[Any]] = (
            [describe(path, self.config)] if self.config.kind != "pretrained" else []
        )
        if self._pretrained is not None:
            parts.append(self._pretrained.encode_file(path))
        return np.asarray(np.concatenate(parts), dtype=np.float32)

    @cached_property
    def _pretrained(self) -> PretrainedAudio | None:
        wanted = self.config.pretrained if self.config.kind != "descriptors" else None
        return None if wanted is None else PretrainedAudio(wanted, self.config)


def describe(path: Path, config: AudioConfig) -> NDArray[np.float64]:
    """The descriptors of a file, in memory that does not grow with its length.

    Raises:
        MediaError: the file has no sound that can be decoded.
    """
    from recsys.features.containers import media_errors
    from recsys.features.decoding import audio_samples

    heard = SoundStatistics(config)
    with media_errors(path):
        samples = audio_samples(path, config.sample_rate, config)
        for block in pieces(samples, BLOCK_SECONDS * config.sample_rate):
            heard.add(block)
    if not heard.frames:
        raise MediaError(Status.TRUNCATED, f"{path} has less than {FRAME} samples of sound")
    return heard.vector()


def require_libraries() -> None:
    """PyAV decodes and transformers analyses.

    Raises:
        MissingExtra: one of them is not installed.
    """
    pyav_version()
    if importlib.util.find_spec("transformers") is None:
        raise MissingExtra("transformers", "trailers")


def descriptor_card(config: AudioConfig) -> EncoderCard:
    """How the descriptors are made."""
    return EncoderCard(
        name="audio descriptors",
        revision=REVISION,
        dim=len(descriptor_names(config)),
        preprocessing=f"{decoding(config)}; one channel, {config.sample_rate} Hz, Hann frames of "
        f"{FRAME} samples every {HOP}, {config.n_mels} Slaney mel bands in dB from -100, "
        f"{config.n_mfcc} MFCC",
        pooling="mean and standard deviation over frames of log-mel, MFCC, loudness, over frames "
        "that are not silent of spectral centroid, bandwidth, roll-off, flatness and zero "
        "crossings, and over frames of absolute MFCC differences and onset strength; silent "
        "share, peak, tempo, pulse clarity",
        licence=NO_WEIGHTS,
        paper="Peeters, A large set of audio features, 2004; Ellis, Beat Tracking by Dynamic "
        "Programming, 2007",
    )
