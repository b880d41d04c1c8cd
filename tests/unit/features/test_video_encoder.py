import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from pydantic import ValidationError
from support.trailers import moving_square, still, tone, write_film

from recsys.config.modalities import BackboneConfig, VideoConfig
from recsys.errors import ConfigError
from recsys.features.media import FileStatus, MediaError
from recsys.features.video import VideoEncoder
from recsys.features.video_descriptors import FRAME_NAMES

pytest.importorskip("av")
pytest.importorskip("PIL")

NAMES = [f"{s} {n}" for s in ("mean", "std") for n in FRAME_NAMES]
NAMES += ["mean motion", "std motion", "cuts", "mean shot", "std shot"]
COLOURS = [(0, 0, 0), (200, 30, 30), (20, 160, 60), (30, 30, 220)]


def encode(path, **config):
    return VideoEncoder(VideoConfig(**config)).encode_file(path)


def named(path, **config):
    return dict(zip(NAMES, encode(path, **config), strict=True))


@pytest.fixture
def film(tmp_path):
    def write(*shots, name="film.mp4", **more):
        return write_film(tmp_path / name, pictures=[np.concatenate(shots)], **more)

    return write


@pytest.fixture
def backbone(tmp_path):
    """Two tiny networks' worth of nothing: MobileNetV2 with random weights."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from recsys.features.backbone import torchvision_models

    models = torchvision_models()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = models.mobilenet_v2(num_classes=3, width_mult=1.0).state_dict()
    file = tmp_path / "random.safetensors"
    save_file(state, file)
    return BackboneConfig(weights=str(file), size=(32, 64))


def test_as_many_cuts_are_counted_as_were_made(film):
    found = named(film(*(moving_square(1.5, colour) for colour in COLOURS)))
    seconds = 5.9  # the time of the last picture
    assert found["cuts"] * seconds == pytest.approx(3)
    assert found["mean shot"] == pytest.approx(seconds / 4, abs=0.01)
    assert found["mean motion"] > 0


@pytest.mark.parametrize(("colour", "brightness"), [((0, 0, 0), 0), ((255, 255, 255), 1)])
def test_a_still_has_the_brightness_of_its_colour_and_no_motion(film, colour, brightness):
    found = named(film(still(2, colour)))
    assert found["mean brightness"] == pytest.approx(brightness, abs=0.01)
    for name in ("mean motion", "std motion", "cuts", "std shot", "std brightness"):
        assert found[name] == pytest.approx(0, abs=1e-4)


def test_faster_motion_counts_for_more(film):
    slow, fast = (
        named(film(moving_square(3, (0, 0, 0), step), name=f"{step}.mp4")) for step in (1, 8)
    )
    assert fast["mean motion"] > 2 * slow["mean motion"]


def test_a_film_that_blinks_has_a_deviation_of_brightness(film):
    found = named(film(still(2, (0, 0, 0)), still(2, (255, 255, 255))))
    assert found["std brightness"] == pytest.approx(0.5, abs=0.02)
    assert found["mean motion"] == pytest.approx(0, abs=1e-4)  # a cut is not motion


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.webm", "a.mpg", "a.ts", "a.mov"])
def test_every_container_gives_the_same_film(film, name):
    film_file = film(*(still(1.5, c) for c in COLOURS), name=name, sound=[tone(6)])
    expected = np.mean([np.dot(c, (0.299, 0.587, 0.114)) / 255 for c in COLOURS])
    found = named(film_file)
    assert found["mean brightness"] == pytest.approx(expected, abs=0.03)
    assert 3 <= round(found["cuts"] * 5.9) <= 4  # MPEG's clock runs at 25 pictures a second


def test_the_name_of_a_file_does_not_matter(film, tmp_path):
    path = film(moving_square(2, (9, 9, 9)))
    other = tmp_path / "50% off: %03d?.jpg"
    other.write_bytes(path.read_bytes())
    np.testing.assert_array_equal(encode(path), encode(other))


def test_the_first_of_two_streams_is_taken(tmp_path):
    path = write_film(
        tmp_path / "two.mkv", pictures=[still(2, (0, 0, 0)), still(2, (255, 255, 255))]
    )
    assert named(path)["mean brightness"] == pytest.approx(0, abs=0.01)


def with_cover(source, path):
    """A copy of a file, with a picture in front of its streams."""
    import av

    with av.open(str(path), "w") as out, av.open(str(source)) as film:
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = out.add_stream_from_template(film.streams[0])
        picture = av.VideoFrame.from_ndarray(still(0.1, (0, 0, 0))[0], format="rgb24")
        out.mux([*cover.encode(picture), *cover.encode(None)])
        for packet in film.demux():
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    with av.open(str(path)) as film:
        assert any(s.disposition & av.stream.Disposition.attached_pic for s in film.streams)
    return path


def test_cover_art_is_not_the_film(tmp_path):
    white = write_film(tmp_path / "white.mp4", pictures=[still(2, (255, 255, 255))])
    found = named(with_cover(white, tmp_path / "cover.mp4"))
    assert found["mean brightness"] == pytest.approx(1, abs=0.01)


def test_a_song_with_cover_art_is_no_film(tmp_path):
    song = write_film(tmp_path / "song.mp4", sound=[tone(1)])
    with pytest.raises(MediaError, match="has no pictures") as caught:
        encode(with_cover(song, tmp_path / "cover.mp4"))
    assert caught.value.status is FileStatus.NO_STREAM


def test_a_vector_is_repeated_bit_for_bit(film):
    path = film(*(moving_square(1.5, colour) for colour in COLOURS))
    first = encode(path)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, encode(path))


def test_only_the_first_seconds_count(film):
    both = film(still(2, (0, 0, 0)), still(2, (255, 255, 255)), name="both.mp4")
    assert named(both, max_seconds=1.5)["mean brightness"] == pytest.approx(0, abs=0.01)


def test_frames_are_sampled_evenly_and_at_cuts(film):
    from recsys.features.video import watch

    shots = [still(1, (level, level, level)) for level in (0, 60, 120, 180, 240)]
    watched = watch(film(*shots), VideoConfig(n_frames=5, n_shot_frames=9), (8, 12))
    levels = [round(frame.mean()) for frame in watched.frames]
    assert [frame.shape for frame in watched.frames] == [(8, 12, 3)] * 9
    assert levels == pytest.approx([0, 60, 120, 180, 240, 60, 120, 180, 240], abs=4)


@pytest.mark.parametrize(
    ("kind", "pooling", "dim"),
    [("backbone", "mean", 1280), ("backbone", "mean_std", 2560), ("both", "mean", 1341)],
)
def test_the_network_is_pooled_over_frames(film, backbone, kind, pooling, dim):
    encoder = VideoEncoder(VideoConfig(kind=kind, pooling=pooling, backbone=backbone, n_frames=2))
    path = film(*(moving_square(1.5, colour) for colour in COLOURS))
    vector = encoder.encode_file(path)
    assert vector.shape == (dim,) == (encoder.card.dim,)
    assert np.isfinite(vector).all()
    np.testing.assert_array_equal(vector, VideoEncoder(encoder.config).encode_file(path))


def test_the_mean_of_the_network_is_that_of_its_frames(film, backbone):
    from recsys.features.backbone import Backbone
    from recsys.features.video import watch

    config = VideoConfig(kind="both", backbone=backbone)
    path = film(*(moving_square(1.5, colour) for colour in COLOURS))
    vectors = Backbone(backbone).frames(watch(path, config, backbone.size).frames)
    expected = np.concatenate([encode(path), vectors.mean(axis=0), vectors.std(axis=0)])
    np.testing.assert_allclose(VideoEncoder(config).encode_file(path), expected, rtol=1e-6)


def test_weights_are_never_made_up(tmp_path, film):
    with pytest.raises(ValidationError, match="needs a backbone"):
        VideoConfig(kind="both")
    missing = BackboneConfig(weights=str(tmp_path / "none.safetensors"))
    with pytest.raises(ConfigError, match=r"no file .*none\.safetensors"):
        encode(film(still(1, (0, 0, 0))), kind="backbone", backbone=missing)


@pytest.mark.parametrize(
    "change",
    [{"max_seconds": 5}, {"fps": 5}, {"cut_threshold": 0.3}, {"min_share": 0.9}, {"max_pixels": 9}],
)
def test_the_card_tells_settings_apart(change):
    assert VideoEncoder(VideoConfig()).card != VideoEncoder(VideoConfig(**change)).card


@pytest.mark.parametrize("change", [{"n_frames": 3}, {"n_shot_frames": 3}, {"pooling": "mean"}])
def test_the_card_of_a_network_tells_its_settings_apart(backbone, change):
    plain = VideoConfig(kind="backbone", backbone=backbone)
    assert VideoEncoder(plain).card != VideoEncoder(plain.model_copy(update=change)).card


def test_the_width_on_the_card_is_that_of_the_vectors(film):
    assert VideoEncoder(VideoConfig()).card.dim == len(encode(film(still(1, (0, 0, 0))))) == 61


def test_a_factory_and_an_encoder_travel_to_other_processes():
    factory = pickle.loads(pickle.dumps(partial(VideoEncoder, VideoConfig())))
    assert factory().card == pickle.loads(pickle.dumps(VideoEncoder(VideoConfig()))).card


def test_sound_alone_is_no_film(tmp_path):
    path = write_film(tmp_path / "sound.mp4", sound=[tone(1)])
    with pytest.raises(MediaError, match="has no pictures") as caught:
        encode(path)
    assert caught.value.status is FileStatus.NO_STREAM


def test_huge_pictures_are_refused(tmp_path):
    path = write_film(
        tmp_path / "8k.mov", pictures=[still(0.1, (0, 0, 0), (4320, 7680))], video_codec="png"
    )
    with pytest.raises(MediaError, match="7680 x 4320") as caught:
        encode(path)
    assert caught.value.status is FileStatus.TOO_LARGE


def test_without_pyav_the_extra_is_named(tmp_path):
    script = (
        "import sys; sys.modules['av'] = None\n"
        "from recsys.config.modalities import FeaturesConfig\n"
        "from recsys.config.sources import SourcesConfig\n"
        "from recsys.features.extract import extract\n"
        "from recsys.testing.worlds import two_genre_world\n"
        "config = FeaturesConfig(text=None, metadata=None)\n"
        "sources = SourcesConfig(trailers={'path': sys.argv[1]})\n"
        "try:\n"
        "    extract(two_genre_world().catalogue, config, sources)\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.startswith("MissingExtra av is not installed")
    assert "recsys[trailers]" in said
