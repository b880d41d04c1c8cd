"""Broken files: each gets a status of its own, and nothing else ever happens."""

import gzip
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from support.trailers import clicks, moving_square, write_film

pytest.importorskip("av")
pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

COLOURS = [(0, 0, 0), (200, 30, 30), (20, 160, 60), (30, 30, 220)]
INDEX_FIRST = {"movflags": "faststart"}
FILMS = {
    "index-last.mp4": {},
    "index-first.mp4": {"options": INDEX_FIRST},
    "h264.mp4": {"options": INDEX_FIRST, "video_codec": "libx264"},
    "film.mov": {"options": INDEX_FIRST},
    "film.mkv": {},
    "film.webm": {},
    "film.avi": {},
}
SHARES = (0.002, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)

ENCODE_ALL = """
import json, sys
from pathlib import Path
import numpy as np
from recsys.config.modalities import AudioConfig, VideoConfig
from recsys.features.audio import AudioEncoder
from recsys.features.media import MediaError
from recsys.features.video import VideoEncoder

def outcome(encoder, path):
    try:
        vector = encoder.encode_file(path)
    except MediaError as error:
        assert str(path) in str(error), error
        return str(error.status)
    assert vector.shape == (encoder.card.dim,) and np.isfinite(vector).all(), path
    return "ok"

encoders = VideoEncoder(VideoConfig()), AudioEncoder(AudioConfig())
paths = sorted(Path(sys.argv[1]).iterdir())
print(json.dumps({path.name: [outcome(e, path) for e in encoders] for path in paths}))
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """The bytes of good films, by name."""
    folder = tmp_path_factory.mktemp("films")
    pictures = np.concatenate([moving_square(1.5, colour) for colour in COLOURS])
    return {
        name: write_film(
            folder / name, pictures=[pictures], sound=[clicks(6, 100)], **options
        ).read_bytes()
        for name, options in FILMS.items()
    }


def outcomes(folder):
    """What becomes of every file of a folder, in a process that says nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", ENCODE_ALL, str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_films_that_break_off_early_are_refused_and_good_ones_are_not(films, tmp_path):
    for name, content in films.items():
        (tmp_path / f"good {name}").write_bytes(content)
        for share in SHARES:
            (tmp_path / f"cut {share} {name}").write_bytes(content[: int(len(content) * share)])
    found = outcomes(tmp_path)
    for name, statuses in found.items():
        if name.startswith("good"):
            assert statuses == ["ok", "ok"], name
        elif name.endswith((".mp4", ".mov")):
            assert statuses == ["truncated", "truncated"], name
        else:
            assert set(statuses) <= {"truncated", "unreadable"}, name
    assert len(found) == len(FILMS) * (1 + len(SHARES))


def test_films_that_break_off_late_are_used(films, tmp_path):
    for name in ("index-first.mp4", "film.mov", "film.mkv", "film.webm", "film.avi"):
        content = films[name]
        (tmp_path / name).write_bytes(content[: int(len(content) * 0.8)])
    assert set(map(tuple, outcomes(tmp_path).values())) == {("ok", "ok")}


def overwritten(content, start, end, filling):
    size = len(content)
    start, end = int(size * start), int(size * end)
    return content[:start] + filling(end - start) + content[end:]


def noise(length):
    return np.random.default_rng(length).bytes(length)


def test_films_that_are_overwritten_are_refused(films, tmp_path):
    for name, content in films.items():
        for filling in (bytes, noise):
            for start, end in ((0.0, 0.15), (0.2, 1.0), (0.3, 1.0)):
                path = tmp_path / f"{filling.__name__} {start} {end} {name}"
                path.write_bytes(overwritten(content, start, end, filling))
    found = outcomes(tmp_path)
    assert len(found) == 6 * len(FILMS)
    for name, statuses in found.items():
        assert set(statuses) <= {"truncated", "unreadable", "no stream"}, name


def foreign(folder, good):
    """Files that are something else, under the name of a film."""
    picture = Image.fromarray(moving_square(0.1, (9, 99, 199))[0])
    for kind in ("png", "jpeg", "gif", "bmp", "webp"):
        picture.save(folder / f"{kind}.mp4", format=kind)
    with zipfile.ZipFile(folder / "zip.mp4", "w") as archive:
        archive.writestr("film.mp4", good)
    (folder / "gzip.mp4").write_bytes(gzip.compress(good))
    texts = {
        "text": "Not a film.\n" * 400,
        "html": "<!doctype html><title>404</title>" + "<p>Not found</p>" * 99,
        "json": json.dumps({"error": "quota exceeded"} | {str(i): i for i in range(500)}),
        "csv": "movieId,title\n" + "1,Toy Story\n" * 300,
        "subtitles": "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 50,
        "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\ngood.mp4\n#EXT-X-ENDLIST\n",
        "concat": "ffconcat version 1.0\nfile good.mp4\nfile good.mp4\n",
        "session": "v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 127.0.0.1\n",
        "pdf": "%PDF-1.7\n" + "1 0 obj << /Type /Catalog >> endobj\n" * 80,
        "elf": "\x7fELF\x02\x01\x01" + "\0" * 4000,
    }
    for name, text in texts.items():
        (folder / f"{name}.mp4").write_text(text)
    for seed in range(20):
        content = np.random.default_rng(seed).bytes(50 + 4000 * seed)
        (folder / f"noise{seed}.{('mp4', 'mkv', 'avi', 'wav')[seed % 4]}").write_bytes(content)
    for name in ("nulls.mp4", "nulls.wav", "nulls.mkv"):
        (folder / name).write_bytes(bytes(20_000))
    for size in (1, 3, 7):
        (folder / f"{size} bytes.mp4").write_bytes(good[:size])


def test_what_is_no_film_is_unreadable_and_opens_no_other_file(films, tmp_path):
    foreign(tmp_path, films["index-first.mp4"])
    expected = {path.name: ["unreadable", "unreadable"] for path in tmp_path.iterdir()}
    (tmp_path / "good.mp4").write_bytes(films["index-first.mp4"])
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.mp4")
    expected |= {
        "good.mp4": ["ok", "ok"],
        "empty.mp4": ["empty", "empty"],
        "folder.mp4": ["unreadable", "unreadable"],
        "dangling.mp4": ["missing", "missing"],
        "pipe.mp4": ["unreadable", "unreadable"],
    }
    assert outcomes(tmp_path) == expected
    assert len(expected) >= 40


def test_scattered_damage_gives_a_status_or_a_finite_vector(films, tmp_path):
    rng = np.random.default_rng(7)
    for name, content in films.items():
        for i, share in enumerate((0.0003, 0.001, 0.01, 0.05)):
            damaged = np.frombuffer(content, np.uint8).copy()
            where = rng.integers(0, len(damaged), max(1, int(share * len(damaged))))
            damaged[where] = rng.integers(0, 256, len(where))
            (tmp_path / f"{i} {name}").write_bytes(damaged.tobytes())
    known = {"ok", "truncated", "unreadable", "no stream", "too large", "failed"}
    for name, statuses in outcomes(tmp_path).items():
        assert set(statuses) <= known, name
