"""One pass over the pictures of a trailer.

Legend: N sampled frames, H height and W width in pixels, F descriptors of one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from recsys.config.trailers import VideoConfig
from recsys.features.containers import media_errors
from recsys.features.decoding import video_frames
from recsys.features.running import EvenSample, Moments
from recsys.features.shots import ShotDetector
from recsys.features.video_descriptors import FRAME_NAMES, Picture, describe, motion

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
