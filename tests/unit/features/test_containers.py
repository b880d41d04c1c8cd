import pytest
from support.trailers import moving_square, write_film

from recsys.config.modalities import DecodingConfig

av = pytest.importorskip("av")

from recsys.features.containers import opened  # noqa: E402 - PyAV may be absent

FILMS = ("film.avi", "film.mkv", "film.mp4")


@pytest.mark.parametrize("name", FILMS)
def test_tags_in_another_encoding_do_no_harm(name, tmp_path):
    film = write_film(tmp_path / name, pictures=[moving_square(1, (9, 9, 9))])
    content = film.read_bytes()
    assert b"Lavf" in content  # what has written it, a tag like any other
    film.write_bytes(content.replace(b"Lavf", b"L\xe9vf"))
    with opened(film, DecodingConfig()) as container:
        assert len(list(container.decode(video=0))) == 10
