import io
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from support.pictures import bomb, encoded, pixels

from recsys.config.modalities import PosterConfig
from recsys.features.media import FileStatus, MediaError
from recsys.features.poster import PosterEncoder, describe, read_picture

Image = pytest.importorskip("PIL.Image")

SIZE = (96, 64)


@pytest.fixture
def save(tmp_path):
    def make(image, kind="PNG", **options):
        path = tmp_path / "poster.jpg"
        image.save(path, kind, **options)
        return path

    return make


@pytest.fixture
def picture():
    return Image.fromarray(pixels(1))


def read(path, max_pixels=10**6):
    return np.asarray(read_picture(path, max_pixels=max_pixels, size=SIZE))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_the_content_decides_the_format(save, picture, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read(save(picture, kind, **options)), pixels(1))


def test_every_way_to_store_colours_becomes_rgb(save, picture):
    grey = picture.convert("L")
    assert np.array_equal(read(save(grey)), np.asarray(grey.convert("RGB")))
    palette = picture.quantize(32)
    assert np.array_equal(read(save(palette)), np.asarray(palette.convert("RGB")))
    bilevel = picture.convert("1")
    assert np.array_equal(read(save(bilevel)), np.asarray(bilevel.convert("RGB")))
    cmyk = read(save(picture.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(cmyk.astype(int) - pixels(1)).mean() < 15


def test_sixteen_bits_a_pixel_are_scaled_not_clipped(save):
    levels = np.arange(60 * 90, dtype=np.uint16).reshape(90, 60) * 12
    expected = np.repeat((levels >> 8).astype(np.uint8)[..., None], 3, axis=2)
    assert np.array_equal(read(save(Image.fromarray(levels))), expected)


def test_what_is_transparent_is_white(save, picture):
    mask = np.zeros((90, 60), dtype=np.uint8)
    mask[:45] = 255
    seen = picture.copy()
    seen.putalpha(Image.fromarray(mask))
    found = read(save(seen))
    assert np.array_equal(found[:45], pixels(1)[:45])
    assert (found[45:] == 255).all()
    palette = picture.quantize(8)
    hidden = int(np.asarray(palette)[0, 0])
    found = read(save(palette, transparency=hidden))
    assert (found[np.asarray(palette) == hidden] == 255).all()


def test_the_first_frame_stands_for_an_animation(save, picture):
    frames = [Image.fromarray(pixels(seed)) for seed in (2, 3)]
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        path = save(picture, kind, save_all=True, append_images=frames, duration=50, **options)
        assert np.array_equal(read(path), pixels(1))


def test_a_picture_is_turned_upright(save, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    assert np.array_equal(read(save(lying, exif=exif)), pixels(1))


def test_a_large_jpeg_is_not_decoded_in_full(save):
    path = save(Image.fromarray(pixels(1, (1600, 1200))), "JPEG")
    assert read(path, 10**7).shape == (200, 150, 3)


def test_more_pixels_than_allowed_are_not_decoded(tmp_path, save, picture):
    path = save(picture)
    assert read(path, 90 * 60).shape == (90, 60, 3)
    with pytest.raises(MediaError, match="60 x 90 pixels, more than 5399") as raised:
        read(path, 90 * 60 - 1)
    assert raised.value.status is FileStatus.TOO_LARGE
    path.write_bytes(bomb(20_000))
    with pytest.raises(MediaError) as raised:
        read(path, 89_478_485)
    assert raised.value.status is FileStatus.TOO_LARGE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_picture_that_breaks_off_anywhere_is_refused(tmp_path, kind):
    whole = encoded(1, kind)
    path = tmp_path / "cut.jpg"
    statuses = set()
    for length in np.linspace(1, len(whole) - 32, 40).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(MediaError, match=r"cut\.jpg") as raised:
            read(path)
        statuses.add(raised.value.status)
    assert statuses <= {FileStatus.TRUNCATED, FileStatus.UNREADABLE}
    assert FileStatus.TRUNCATED in statuses or kind == "WEBP"


def test_broken_bytes_anywhere_give_a_picture_or_a_reason(tmp_path):
    generator = np.random.default_rng(0)
    path, seen = tmp_path / "broken.jpg", set()
    for number in range(300):
        kind = ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"][number % 7]
        if kind == "AVIF" and "AVIF" not in Image.SAVE:
            continue
        raw = bytearray(encoded(number, kind, (12, 8)))
        for _ in range(3):
            raw[generator.integers(min(len(raw), 200))] = generator.integers(256)
        path.write_bytes(bytes(raw))
        try:
            seen.add(FileStatus.OK if read(path).ndim == 3 else None)
        except MediaError as error:
            seen.add(error.status)
    possible = {FileStatus.OK, FileStatus.TRUNCATED, FileStatus.UNREADABLE, FileStatus.TOO_LARGE}
    assert {FileStatus.OK, FileStatus.UNREADABLE} <= seen <= possible


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"P6 2 2 255 " + bytes(12)]
)
def test_formats_that_posters_do_not_have_are_not_opened(tmp_path, content):
    path = tmp_path / "poster.jpg"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="no picture of a known format") as raised:
        read(path)
    assert raised.value.status is FileStatus.UNREADABLE


def test_descriptors_are_finite_of_unit_length_and_told_apart(tmp_path):
    encoder = PosterEncoder(PosterConfig())
    vectors = []
    for seed in range(20):
        path = tmp_path / f"{seed}.jpg"
        path.write_bytes(encoded(seed))
        vectors.append(encoder.encode_file(path))
        assert np.array_equal(encoder.encode_file(path), vectors[-1])
    stacked = np.stack(vectors)
    assert stacked.shape == (20, encoder.card.dim)
    assert stacked.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(stacked, axis=1), 1, rtol=1e-5)
    likeness = stacked @ stacked.T - np.eye(20)
    assert likeness.max() < 0.99


@pytest.mark.parametrize("colour", ["black", "white", "red", (1, 2, 3)])
def test_a_plain_poster_has_one_colour(colour):
    vector = describe(Image.new("RGB", (5, 7), colour))
    assert vector.shape == (12 * 4 * 4,)
    assert np.flatnonzero(vector).size == vector.max() == 1


def test_the_colours_count_and_not_where_they_are():
    above = np.zeros((96, 64, 3), dtype=np.uint8)
    above[:48] = (255, 0, 0)
    one, other = (describe(Image.fromarray(image)) for image in (above, above[::-1]))
    assert np.array_equal(one, other)
    assert np.flatnonzero(one).size == 2


def test_a_large_poster_is_described_as_its_small_self(tmp_path):
    encoder = PosterEncoder(PosterConfig())
    vectors = []
    for size in ((300, 200), (2400, 1600)):
        image = Image.fromarray(pixels(4, (300, 200))).resize(size[::-1], Image.Resampling.BICUBIC)
        path = tmp_path / f"{size[0]}.jpg"
        image.save(path, quality=95)
        vectors.append(encoder.encode_file(path))
    assert vectors[0] @ vectors[1] > 0.98


def test_every_setting_that_changes_a_vector_shows_in_the_card():
    cards = {PosterEncoder(PosterConfig(max_pixels=n)).card for n in (10, 20)}
    assert len(cards) == 2


@pytest.mark.parametrize(
    "wrong", [{"kind": "backbone"}, {"kind": "hog"}, {"max_pixels": 10**9}, {"colour": 1}]
)
def test_configurations_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        PosterConfig(**wrong)


def test_descriptors_need_no_torch(tmp_path):
    path = tmp_path / "poster.jpg"
    path.write_bytes(encoded(1))
    script = (
        "import sys; from pathlib import Path\n"
        "from recsys.config.modalities import PosterConfig\n"
        "from recsys.features.poster import PosterEncoder\n"
        "encoder = PosterEncoder(PosterConfig())\n"
        "print(encoder.encode_file(Path(sys.argv[1])).shape == (encoder.card.dim,),"
        " 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
    )
    assert done.stdout == "True False\n"


def test_streams_are_closed(tmp_path, monkeypatch):
    path = tmp_path / "poster.jpg"
    path.write_bytes(encoded(1))
    opened = []
    plain = io.open

    def note(*arguments, **options):
        stream = plain(*arguments, **options)
        opened.append(stream)
        return stream

    monkeypatch.setattr("builtins.open", note)
    read(path)
    assert opened
    assert all(stream.closed for stream in opened)
