"""Tiny films with known pictures and sound, written by PyAV.

Legend: N pictures, H height and W width in pixels, S samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

FPS = 10
"""Pictures a second."""

RATE = 22_050
"""Samples a second."""

Pictures = NDArray[np.uint8]
Sound = NDArray[np.float32]

_VIDEO_CODECS = {".webm": "libvpx", ".mpg": "mpeg2video", ".ts": "mpeg2video"}
_AUDIO_CODECS = {
    **{".wav": "pcm_s16le", ".mkv": "pcm_s16le", ".flac": "flac"},
    **{".mp3": "libmp3lame", ".webm": "libopus", ".mpg": "mp2", ".ts": "mp2"},
}


def still(
    seconds: float, colour: tuple[int, int, int], size: tuple[int, int] = (64, 96)
) -> Pictures:
    """(N, H, W, 3) pictures of one colour."""
    return np.full((round(seconds * FPS), *size, 3), colour, dtype=np.uint8)


def moving_square(seconds: float, colour: tuple[int, int, int], step: int = 4) -> Pictures:
    """(N, H, W, 3) pictures of a white square that moves over a ground of one colour."""
    pictures = still(seconds, colour)
    for i, picture in enumerate(pictures):
        left = i * step % 80
        picture[24:40, left : left + 16] = 255
    return pictures


def tone(seconds: float, hertz: float = 440.0, gain: float = 0.5) -> Sound:
    """(S,) samples of a sine."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(gain * np.sin(2 * np.pi * hertz * time), dtype=np.float32)


def clicks(seconds: float, per_minute: float) -> Sound:
    """(S,) samples of short bursts of noise at a steady tempo."""
    burst = np.random.default_rng(0).uniform(-0.8, 0.8, 500) * np.linspace(1, 0, 500)
    sound = np.zeros(round(seconds * RATE) + len(burst), dtype=np.float32)
    for start in np.arange(0, seconds, 60 / per_minute):
        at = round(start * RATE)
        sound[at : at + len(burst)] += burst.astype(np.float32)
    return np.asarray(sound[: round(seconds * RATE)])


def write_film(
    path: Path,
    *,
    pictures: Sequence[Pictures] = (),
    sound: Sequence[Sound] = (),
    video_codec: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A file with one stream for each member of ``pictures`` and of ``sound``.

    Args:
        path: what it is called; the ending decides the format.
        pictures: a (N, H, W, 3) array a stream, at ``FPS``.
        sound: a (S,) array a stream, at ``RATE``.
        video_codec: instead of the usual one of the format.
        options: of the format, as FFmpeg calls them.
    """
    import av

    video = video_codec or _VIDEO_CODECS.get(path.suffix, "mpeg4")
    audio = _AUDIO_CODECS.get(path.suffix, "aac")
    with av.open(str(path), "w", options=options or {}) as container:
        streams = [
            *((_video_stream(container, video, p), _video_frames(p)) for p in pictures),
            *((_audio_stream(container, audio), _audio_frames(s)) for s in sound),
        ]
        for stream, frames in streams:
            for frame in (*frames, None):
                container.mux(stream.encode(frame))
    return path


def _video_stream(container: av.container.OutputContainer, codec: str, pictures: Pictures) -> Any:
    rate = 25 if codec == "mpeg2video" else FPS  # MPEG-2 knows no slower one
    stream: Any = container.add_stream(codec, rate=rate)
    _, stream.height, stream.width, _ = pictures.shape
    stream.pix_fmt = {"png": "rgb24", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    stream.codec_context.time_base = Fraction(1, rate)
    stream.codec_context.thread_count = 1
    if codec == "mpeg4":
        stream.codec_context.qmin = stream.codec_context.qmax = 2
    return stream


def _video_frames(pictures: Pictures) -> Iterator[av.VideoFrame]:
    import av

    for i, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, FPS)
        yield frame


def _audio_stream(container: av.container.OutputContainer, codec: str) -> Any:
    rate = 48_000 if codec == "libopus" else RATE
    return container.add_stream(codec, rate=rate, layout="mono")


def _audio_frames(sound: Sound) -> Iterator[av.AudioFrame]:
    import av

    for start in range(0, len(sound), 1024):
        frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield frame
