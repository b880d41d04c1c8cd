import importlib.util

import numpy as np
import pytest

from recsys.config.modalities import AudioConfig, BackboneConfig, VideoConfig
from recsys.features.audio import AudioEncoder, descriptor_names
from recsys.features.media import FileEncoder
from recsys.features.video import VideoEncoder
from recsys.features.video_descriptors import FRAME_NAMES, Picture, ShotDetector

pytest.importorskip("av")
pytest.importorskip("PIL")
pytestmark = pytest.mark.realdata

TRAILERS = ["sintel_trailer", "sintel_clip", "big_buck_bunny_clip", "nasa_13013"]


@pytest.fixture
def trailer(real_data):
    return lambda name: real_data / "trailers" / f"{name}.mp4"


@pytest.fixture
def encoders(real_data) -> list[FileEncoder]:
    for library in ("torch", "torchvision", "transformers"):
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    weights = BackboneConfig(
        weights=str(real_data / "weights" / "mobilenet_v2_imagenet.safetensors"),
        pixel_mean=(127, 127, 127),
        pixel_std=(127.5, 127.5, 127.5),
    )
    return [VideoEncoder(VideoConfig(kind="both", backbone=weights)), AudioEncoder(AudioConfig())]


@pytest.mark.parametrize("name", TRAILERS)
def test_real_trailers_encode_to_finite_repeatable_vectors(trailer, encoders, name):
    for encoder in encoders:
        vector = encoder.encode_file(trailer(name))
        assert vector.shape == (encoder.card.dim,)
        assert np.isfinite(vector).all()
        np.testing.assert_array_equal(vector, encoder.encode_file(trailer(name)))


@pytest.mark.parametrize(
    ("name", "cuts"),
    [
        ("sintel_clip", [3.1, 4.9, 12.8, 18.3, 21.8, 24.5]),  # seen by eye
        ("big_buck_bunny_clip", [3.8]),
        ("nasa_13013", [8.1]),  # besides a dissolve at 5 s
    ],
)
def test_the_cuts_of_real_films_are_found(trailer, name, cuts):
    from recsys.features.decoding import video_frames

    config, detector, found, tick = VideoConfig(), ShotDetector(0.25), [], 0
    for time, frame in video_frames(trailer(name), config):
        if time * 10 >= tick:
            tick = int(time * 10) + 1
            small = frame.reformat(96, 64, "rgb24").to_ndarray()
            found += [time] if detector.add(time, Picture(small)) else []
    assert found == pytest.approx(cuts, abs=0.15)


def test_descriptors_of_the_sintel_trailer(trailer, encoders):
    video, audio = (encoder.encode_file(trailer("sintel_trailer")) for encoder in encoders)
    seen = dict(zip(FRAME_NAMES, video, strict=False))
    assert 0.2 < seen["brightness"] < 0.3  # a dark film
    assert 7 <= round(video[2 * len(FRAME_NAMES) + 2] * 52) <= 12
    heard = dict(zip(descriptor_names(AudioConfig()), audio, strict=True))
    assert -25 < heard["mean loudness"] < -12
    assert heard["silent"] < 0.2
