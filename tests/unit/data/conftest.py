from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FLAGS = 19
ANIMATION, CHILDREN, COMEDY, THRILLER = 3, 4, 5, 16


def _movie_line(id_: int, title: str, *genres: int) -> str:
    flags = "|".join("1" if flag in genres else "0" for flag in range(FLAGS))
    return f"{id_}|{title}|01-Jan-1995||http://example.org/{id_}|{flags}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file of the test's own folder, text as UTF-8; gives its path."""

    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


@pytest.fixture
def ml_100k_folder(tmp_path: Path) -> Path:
    """Five movies, five ratings in the layout of MovieLens-100K; movie 1 is what it is there."""
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    ratings = ["7\t2\t3\t881250949", "7\t1\t5\t881250950", "10\t1\t4\t881250951"]
    ratings += ["9\t50\t1\t0", "10\t4\t2\t881250952"]
    movies = [
        _movie_line(1, "Toy Story (1995)", ANIMATION, CHILDREN, COMEDY),
        _movie_line(2, "Usual Suspects, The (1995)", THRILLER),
        _movie_line(3, "Misérables, Les (1995) ", THRILLER),
        _movie_line(4, "unknown", 0),
        _movie_line(5, "Land Before Time III, The (1995) (V)", ANIMATION),
    ]
    (folder / "u.data").write_text("\n".join(ratings) + "\n")
    (folder / "u.item").write_bytes("\n".join(movies).encode("latin-1"))
    return folder
