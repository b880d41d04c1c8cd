import pickle
from functools import partial

import numpy as np
import pytest
from pydantic import ValidationError
from support.trailers import RATE, clicks, moving_square, still, tone, write_film

from recsys.config.modalities import AudioConfig
from recsys.errors import MissingExtra
from recsys.features.audio import AudioEncoder, descriptor_names
from recsys.features.media import FileStatus, MediaError

pytest.importorskip("av")
pytest.importorskip("transformers")


LOW = 5
"""The mel band of 300 Hz."""


def encode(path, **config):
    return AudioEncoder(AudioConfig(**config)).encode_file(path)


def named(path, **config):
    return dict(zip(descriptor_names(AudioConfig(**config)), encode(path, **config), strict=True))


def loudest_band(found):
    return int(np.argmax([found[f"mean mel {i}"] for i in range(64)]))


@pytest.fixture
def film(tmp_path):
    def write(*sounds, name="film.mp4", **more):
        return write_film(tmp_path / name, sound=[np.concatenate(sounds)], **more)

    return write


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.mpg", "a.ts", "a.wav", "a.flac"])
def test_every_container_gives_the_same_sound(film, name):
    pictures = [] if name in {"a.wav", "a.flac"} else [moving_square(3, (0, 0, 0))]
    found = named(film(tone(3), name=name, pictures=pictures))
    assert found["mean loudness"] == pytest.approx(-6.02, abs=0.3)
    assert loudest_band(found) == loudest_band(named(film(tone(3), name="same.wav")))


def test_the_loudest_band_climbs_with_the_frequency(film):
    found = [loudest_band(named(film(tone(2, h), name=f"{h}.mp4"))) for h in (220, 880, 3000)]
    assert found == sorted(set(found))


def test_loudness_grows_with_gain(film):
    levels = [named(film(tone(2, gain=g), name=f"{g}.mp4"))["mean loudness"] for g in (0.1, 0.4)]
    assert levels[1] - levels[0] == pytest.approx(12, abs=0.3)


def test_silence_has_a_finite_vector(film):
    vector = encode(film(tone(2, gain=0)))
    assert np.isfinite(vector).all()


def test_the_first_of_two_streams_is_taken(tmp_path):
    path = write_film(tmp_path / "two.mkv", sound=[tone(2, 300), tone(2, 3000)])
    assert loudest_band(named(path)) == LOW


def test_a_stream_marked_as_default_comes_before_others(tmp_path):
    import av

    path = tmp_path / "default.mkv"
    source = write_film(tmp_path / "two.mkv", sound=[tone(2, 300), tone(2, 3000)])
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        streams = [out.add_stream_from_template(s) for s in film.streams.audio]
        streams[0].disposition = 0
        streams[1].disposition = av.stream.Disposition.default
        for packet in film.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    assert loudest_band(named(path)) > 3 * LOW


def test_a_vector_is_repeated_bit_for_bit(film):
    path = film(tone(2), clicks(12, 90))
    first = encode(path)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, encode(path))


def test_only_the_first_seconds_count(film):
    path = film(tone(2, 300), tone(2, 3000), name="a.wav")
    assert loudest_band(named(path, max_seconds=1.9)) == LOW
    from recsys.features.decoding import audio_samples

    blocks = list(audio_samples(path, 16_000, AudioConfig(max_seconds=1.51)))
    assert sum(map(len, blocks)) == 24_160


def test_sound_shorter_than_the_pictures_is_not_cut_off(tmp_path):
    path = write_film(tmp_path / "a.mkv", pictures=[still(8, (0, 0, 0))], sound=[tone(1)])
    assert named(path)["mean loudness"] == pytest.approx(-6, abs=0.5)


@pytest.mark.parametrize("change", [{"sample_rate": 16_000}, {"n_mels": 32}, {"max_seconds": 5}])
def test_the_card_tells_settings_apart(change):
    assert AudioEncoder(AudioConfig()).card != AudioEncoder(AudioConfig(**change)).card


def test_the_width_on_the_card_is_that_of_the_vectors(film):
    encoder = AudioEncoder(AudioConfig(n_mels=20, n_mfcc=7))
    assert encoder.encode_file(film(tone(1))).shape == (encoder.card.dim,)


def test_a_factory_and_an_encoder_travel_to_other_processes():
    factory = pickle.loads(pickle.dumps(partial(AudioEncoder, AudioConfig())))
    assert factory().card == pickle.loads(pickle.dumps(AudioEncoder(AudioConfig()))).card


def refused(path, **config):
    with pytest.raises(MediaError) as caught:
        encode(path, **config)
    assert str(path) in str(caught.value)
    return caught.value.status


def test_pictures_alone_have_no_sound(tmp_path):
    path = write_film(tmp_path / "mute.mp4", pictures=[still(1, (0, 0, 0))])
    assert refused(path) is FileStatus.NO_STREAM


def test_a_blink_of_sound_is_not_enough(film):
    assert refused(film(tone(0.01), name="blink.wav")) is FileStatus.TRUNCATED


def test_too_many_channels_are_refused(tmp_path):
    from scipy.io import wavfile

    path = tmp_path / "stereo.wav"
    wavfile.write(path, RATE, np.zeros((RATE, 2), dtype=np.int16))
    assert len(encode(path, max_channels=2))
    assert refused(path, max_channels=1) is FileStatus.TOO_LARGE


@pytest.mark.parametrize(
    ("rate", "status"), [(1, FileStatus.UNREADABLE), (10_000_000, FileStatus.TOO_LARGE)]
)
def test_absurd_sampling_rates_are_refused(film, rate, status):
    path = film(tone(1), name="a.wav")
    content = bytearray(path.read_bytes())
    at = content.index(RATE.to_bytes(4, "little"))
    content[at : at + 4] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    assert refused(path) is status


def test_numbers_that_are_none_are_no_sound(tmp_path):
    from scipy.io import wavfile

    path = tmp_path / "nan.wav"
    wavfile.write(path, RATE, np.full(RATE, np.nan, dtype=np.float32))
    assert refused(path) is FileStatus.UNREADABLE


def test_coefficients_are_no_more_than_bands():
    with pytest.raises(ValidationError, match="n_mfcc 40 is above n_mels 20"):
        AudioConfig(n_mels=20, n_mfcc=40)


def test_without_transformers_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"transformers is not installed\n.*recsys\[trailers\]"):
        encode(tmp_path / "any.mp4")
