"""Trailers, decoded one frame after another by FFmpeg, through PyAV.

Of a file's streams the first of the wanted kind is decoded, before others one that the file marks
as its default; cover art is none. One thread decodes, a damaged packet is skipped, and memory does
not grow with the length of a file.

A file that breaks off is used when ``min_share`` of the length it declares was read; otherwise it
is TRUNCATED. A file of which less than that share of packets decodes is UNREADABLE. Formats that
declare no length (MPEG-TS, MPEG-PS, WAV) cannot be seen to break off: they are shorter files.

Legend: S samples of one channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recsys.config.modalities import DecodingConfig
from recsys.data.catalogue import EncoderCard
from recsys.features.containers import DECODER_ERRORS, opened
from recsys.features.media import FileStatus, MediaError

NO_WEIGHTS = "Apache-2.0"
"""Licence of what is computed by this program alone."""

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
"""In Hz; a file may state any, and one of 1 Hz would be blown up twenty thousand times."""

_S = TypeVar("_S", VideoStream, AudioStream)
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_FASTEST = 240.0  # frames a second that the clock believes in
_GAP = 10.0  # seconds; timestamps that jump further, or back, are ignored
_LOUDEST = 1e3  # full scale is 1; a damaged packet may decode to anything


@dataclass
class _Progress:
    """How far a file was read.

    Attributes:
        reached: end of the last packet of any stream, in seconds from the start.
        packets: of the stream that is decoded.
        damaged: packets among them that gave nothing but an error.
        frames: of the stream, decoded.
    """

    reached: float = 0.0
    packets: int = 0
    damaged: int = 0
    frames: int = 0


def video_frames(path: Path, config: DecodingConfig) -> Iterator[tuple[float, VideoFrame]]:
    """Pictures in the order they are shown, with their time in seconds since the first.

    Raises:
        MediaError: at the start or at the end, when the file turns out to be broken.
    """
    with opened(path, config) as container:
        stream = _first(container.streams.video, path, "pictures")
        _check_size(stream.codec_context.width, stream.codec_context.height, path, config)
        stream.codec_context.thread_count = 1
        clock, progress = _Clock(stream), _Progress()
        for packet in _packets(container, stream, progress):
            for frame in _decoded(packet, progress):
                if isinstance(frame, VideoFrame):
                    _check_size(frame.width, frame.height, path, config)
                    time = clock.tick(frame.time)
                    if time > config.max_seconds:
                        return
                    yield time, frame
        _check_end(container, progress, path, config)


def audio_samples(path: Path, rate: int, config: DecodingConfig) -> Iterator[NDArray[np.float32]]:
    """Sound as blocks of (S,) samples of one channel, full scale being -1 to 1.

    Args:
        path: the file.
        rate: samples a second of the result.
        config: bounds.

    Raises:
        MediaError: at the start or at the end, when the file turns out to be broken.
    """
    with opened(path, config) as container:
        stream = _first(container.streams.audio, path, "sound")
        _check_sound(stream, path, config)
        stream.codec_context.thread_count = 1
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        wanted, progress = int(config.max_seconds * rate), _Progress()
        for packet in _packets(container, stream, progress):
            for block in _mixed(_decoded(packet, progress), resampler, progress):
                yield block[:wanted]
                wanted -= len(block[:wanted])
            if not wanted:
                return
        yield from _mixed([None], resampler, progress)
        _check_end(container, progress, path, config)


def _first(streams: Sequence[_S], path: Path, what: str) -> _S:
    found = [stream for stream in streams if not stream.disposition & _COVER]
    if not found:
        raise MediaError(FileStatus.NO_STREAM, f"{path} has no {what}")
    known = [stream for stream in found if stream.codec_context is not None]
    if not known:
        raise MediaError(FileStatus.UNREADABLE, f"{path}: no decoder for its {what}")
    return max(known, key=lambda stream: bool(stream.disposition & Disposition.default))


def _check_size(width: int, height: int, path: Path, config: DecodingConfig) -> None:
    if width * height > config.max_pixels:
        raise MediaError(
            FileStatus.TOO_LARGE,
            f"{path} has pictures of {width} x {height} pixels, more than {config.max_pixels}",
        )


def _check_sound(stream: AudioStream, path: Path, config: DecodingConfig) -> None:
    channels, rate = stream.codec_context.channels, stream.codec_context.sample_rate
    if channels > config.max_channels or rate > HIGHEST_RATE:
        raise MediaError(
            FileStatus.TOO_LARGE,
            f"{path} has {channels} channels of {rate} Hz, more than {config.max_channels} or "
            f"{HIGHEST_RATE}",
        )
    if rate < LOWEST_RATE:
        raise MediaError(FileStatus.UNREADABLE, f"{path} states {rate} samples a second")


class _Clock:
    """Seconds since the first frame; it always goes on, whatever the timestamps say."""

    def __init__(self, stream: VideoStream) -> None:
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        self._nominal = 1 / min(max(rate, 1.0), _FASTEST)
        self._last: float | None = None
        self._now: float | None = None

    def tick(self, stamp: float | None) -> float:
        """The time of the next frame."""
        self._now = 0.0 if self._now is None else self._now + self._step(stamp)
        self._last = stamp
        return self._now

    def _step(self, stamp: float | None) -> float:
        step = 0.0 if stamp is None or self._last is None else stamp - self._last
        return max(step, 1 / _FASTEST) if 0 < step <= _GAP else self._nominal


def _packets(
    container: InputContainer, stream: VideoStream | AudioStream, progress: _Progress
) -> Iterator[Packet[Any]]:
    """The packets of a stream, the last of them empty; others only tell how far the file goes."""
    start = (container.start_time or 0) / av.time_base
    try:
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - start
                progress.reached = max(progress.reached, end)
            if packet.stream.index == stream.index:
                progress.packets += packet.size > 0
                yield packet
    except DECODER_ERRORS:
        return  # the end of what can be read; how much that is, is checked by the caller


def _decoded(packet: Packet[Any], progress: _Progress) -> Sequence[object]:
    try:
        frames = packet.decode()
    except DECODER_ERRORS:
        progress.damaged += packet.size > 0
        return ()
    progress.frames += len(frames)
    return frames


def _mixed(
    frames: Sequence[object], resampler: av.AudioResampler, progress: _Progress
) -> Iterator[NDArray[np.float32]]:
    """What comes out of the resampler for frames, or at the end for None."""
    for frame in frames:
        if frame is None or isinstance(frame, AudioFrame):
            try:
                blocks = [_samples(mixed) for mixed in resampler.resample(frame)]
            except DECODER_ERRORS:  # the format changed in the middle, or this is noise
                progress.damaged += 1
                continue
            yield from blocks


def _samples(frame: AudioFrame) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = np.asarray(frame.to_ndarray(), dtype=np.float32)[0]
    if not np.abs(samples).max(initial=0) < _LOUDEST:  # true of NaN as well
        raise ValueError("the samples are out of all bounds")
    return samples


def _check_end(
    container: InputContainer, progress: _Progress, path: Path, config: DecodingConfig
) -> None:
    """What was read must be enough of the file."""
    declared = min((container.duration or 0) / av.time_base, config.max_seconds)
    if progress.reached < config.min_share * declared:
        raise MediaError(
            FileStatus.TRUNCATED,
            f"{path} breaks off after {progress.reached:.1f} of {declared:.1f} seconds",
        )
    if not progress.frames:
        raise MediaError(FileStatus.UNREADABLE, f"{path}: nothing of it can be decoded")
    if progress.damaged > (1 - config.min_share) * progress.packets:
        raise MediaError(
            FileStatus.UNREADABLE,
            f"{path}: {progress.damaged} of {progress.packets} packets are damaged",
        )


def joined(parts: Sequence[EncoderCard]) -> EncoderCard:
    """The card of vectors that are put together end to end, from the card of each part."""
    texts: dict[str, Any] = {
        field.name: " ⊕ ".join(str(v) for part in parts if (v := getattr(part, field.name)))
        for field in fields(EncoderCard)
    }
    return EncoderCard(**texts | {"dim": sum(part.dim for part in parts)})


def decoding(config: DecodingConfig) -> str:
    """Which part of a file is decoded, and by what: another FFmpeg may round otherwise."""
    return (
        f"the first {config.max_seconds:g} s, decoded by PyAV {av.__version__.partition('.')[0]}; "
        f"at least {config.min_share:g} of the file, at most {config.max_pixels} pixels and "
        f"{config.max_channels} channels"
    )
