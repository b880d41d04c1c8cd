"""The pictures of a trailer as one modality.

Legend: N sampled frames, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from recsys.config.modalities import VideoConfig
from recsys.data.catalogue import EncoderCard
from recsys.features.backbone import Backbone
from recsys.features.containers import media_errors
from recsys.features.decoding import NO_WEIGHTS, decoding, joined, video_frames
from recsys.features.running import EvenSample, Moments
from recsys.features.video_descriptors import FRAME_NAMES, Picture, ShotDetector, describe, motion

SMALL = (64, 96)
"""Height and width of the pictures that descriptors are computed from."""

_SMOOTH = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True)
class Watched:
    """What one pass gives.

    Attributes:
        descriptors: (2F + 5,) mean and standard deviation of the F descriptors of a picture and
            of the motion between two, cuts a second, mean and standard deviation of the seconds
            of a shot.
        frames: N arrays (H, W, 3) of bytes, spread evenly over the trailer and over its cuts.
    """

    descriptors: NDArray[np.float64]
    frames: list[NDArray[np.uint8]]


def watch(path: Path, config: VideoConfig, size: tuple[int, int] | None) -> Watched:
    """Look at a trailer ``config.fps`` times a second.

    Args:
        path: the file.
        config: what to look at.
        size: height and width of the frames to keep, None to keep none.

    Raises:
        MediaError: the file has no pictures that can be decoded.
    """
    watcher, tick = _Watcher(config, size), 0
    with media_errors(path):
        for time, frame in video_frames(path, config):
            if time * config.fps >= tick:
                watcher.see(time, frame)
                tick = int(time * config.fps) + 1
    return watcher.result()


class _Watcher:
    def __init__(self, config: VideoConfig, size: tuple[int, int] | None) -> None:
        kept = (0, 0) if size is None else (config.n_frames, config.n_shot_frames)
        self._size = SMALL if size is None else size
        self._samples = tuple(EvenSample[NDArray[np.uint8]](n) for n in kept)
        self._shots = ShotDetector(config.cut_threshold)
        self._pictures, self._motion = Moments(len(FRAME_NAMES)), Moments(1)
        self._scaler = VideoReformatter()
        self._before: Picture | None = None
        self._time = 0.0

    def see(self, time: float, frame: VideoFrame) -> None:
        picture = Picture(self._scaled(frame, SMALL))
        cut = self._shots.add(time, picture)
        if self._before is not None and not cut:
            self._motion.add(np.array([[motion(self._before, picture)]]))
        self._pictures.add(describe(picture)[None])
        for sample in self._samples if cut else self._samples[:1]:
            sample.offer(lambda: self._scaled(frame, self._size))
        self._before, self._time = picture, time

    def result(self) -> Watched:
        self._shots.finish(self._time)
        measured = (self._pictures, self._motion)
        statistics = [part for m in measured for part in (m.mean, m.std)]
        rate = [self._shots.cuts / max(self._time, 1.0)]
        lengths = self._shots.lengths
        return Watched(
            descriptors=np.concatenate([*statistics, rate, lengths.mean, lengths.std]),
            frames=[frame for sample in self._samples for frame in sample.take()],
        )

    def _scaled(self, frame: VideoFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
        height, width = size
        small = self._scaler.reformat(
            frame, width, height, "rgb24", interpolation=_SMOOTH, threads=1
        )
        return np.asarray(small.to_ndarray(), dtype=np.uint8)


REVISION = "1"
"""Of the descriptors; it changes whenever their values do."""


class VideoEncoder:
    """Descriptors that need no weights, and an image network pooled over sampled frames.

    Nothing is loaded before it is needed, so an encoder can be made anew in every process.
    """

    name = "video"

    def __init__(self, config: VideoConfig) -> None:
        self.config = config

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MissingExtra: a library that the configuration needs is not installed.
            OfflineError: its weights must be downloaded, and the network is out of reach.
        """
        parts = [descriptor_card(self.config)] if self.config.kind != "backbone" else []
        if self._network is not None:
            parts.append(network_card(self.config, self._network.card))
        return joined(parts)

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one trailer.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MediaError: the file has no pictures that can be decoded.
            MissingExtra: a library that the configuration needs is not installed.
        """
        network = self._network
        watched = watch(path, self.config, None if network is None else network.config.size)
        parts: list[NDArray[np.floating[Any]]] = []
        if self.config.kind != "backbone":
            parts.append(watched.descriptors)
        if network is not None:
            vectors = network.frames(watched.frames)
            parts.append(vectors.mean(axis=0))
            if self.config.pooling == "mean_std":
                parts.append(vectors.std(axis=0))
        return np.asarray(np.concatenate(parts), dtype=np.float32)

    @cached_property
    def _network(self) -> Backbone | None:
        wanted = self.config.backbone if self.config.kind != "descriptors" else None
        return None if wanted is None else Backbone(wanted)


def descriptor_card(config: VideoConfig) -> EncoderCard:
    """How the descriptors are made."""
    return EncoderCard(
        name="video descriptors",
        revision=REVISION,
        dim=2 * len(FRAME_NAMES) + 5,
        preprocessing=f"{decoding(config)}; {config.fps:g} pictures a second at 96 x 64",
        pooling="mean and standard deviation over pictures of the histograms of hue, saturation "
        "and level, of brightness, saturation, contrast, edges and motion; cuts a second, mean and "
        f"standard deviation of the seconds of a shot (cut threshold {config.cut_threshold:g})",
        licence=NO_WEIGHTS,
        paper="Boreczky and Rowe, Comparison of Video Shot Boundary Detection Techniques, 1996",
    )


def network_card(config: VideoConfig, network: EncoderCard) -> EncoderCard:
    """How the frames become a vector, from the card of the network."""
    return replace(
        network,
        dim=(2 if config.pooling == "mean_std" else 1) * network.dim,
        preprocessing=f"{decoding(config)}; of {config.fps:g} pictures a second {config.n_frames} "
        f"spread evenly and {config.n_shot_frames} first ones of shots (cut threshold "
        f"{config.cut_threshold:g}); {network.preprocessing}",
        pooling=f"{network.pooling}; {config.pooling} over the frames",
    )
