from __future__ import annotations

import hashlib
import io
import socket
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from recsys.data.fetch import fetch
from recsys.data.recipes import Archive, Recipe, RecipeScale
from recsys.data.sources import open_dataset
from recsys.errors import DataError, OfflineError

FILES = {"toy/ratings.csv": "userId,movieId,rating,timestamp\n1,2,3.5,4\n", "toy/README.txt": "!"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECSYS_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A web server with the archive ``toy.zip``; gives its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "toy.zip").write_bytes(_zipped(FILES))
    (folder / "text.zip").write_text("no archive")
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def _md5(data: bytes) -> str:
    return "md5:" + hashlib.md5(data, usedforsecurity=False).hexdigest()


def _recipe(url: str, checksum: str = "", folder: str = "toy") -> Recipe:
    checksum = checksum or _md5(_zipped(FILES))
    return Recipe(
        name="toy",
        title="Toy",
        homepage="http://example.org",
        format="movielens-csv",
        scale=RecipeScale(low=0.5, high=5),
        licence="none",
        citation="none",
        archive=Archive(url=url, checksum=checksum, folder=folder),
    )


def test_a_good_archive_becomes_a_folder_that_can_be_opened(site: str, tmp_path: Path) -> None:
    root = tmp_path / "cache"
    folder = fetch(_recipe(f"{site}/toy.zip"), root)
    assert folder == root / "toy"
    assert sorted(path.name for path in folder.iterdir()) == ["README.txt", "ratings.csv"]
    assert list(root.iterdir()) == [folder]
    assert len(open_dataset(data_dir=folder).interactions) == 1


def test_what_is_there_is_not_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    assert fetch(_recipe("http://127.0.0.1:9/toy.zip"), tmp_path) == tmp_path / "toy"


def test_progress_goes_to_standard_error(
    site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(_recipe(f"{site}/toy.zip"), tmp_path / "cache")
    assert capsys.readouterr().out == ""


def test_a_wrong_checksum_leaves_nothing_behind(site: str, tmp_path: Path) -> None:
    wrong = _md5(b"another archive")
    with pytest.raises(DataError, match=f"does not have the checksum {wrong}"):
        fetch(_recipe(f"{site}/toy.zip", wrong), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_refusal_of_the_server_is_told(site: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="404") as refused:
        fetch(_recipe(f"{site}/gone.zip"), tmp_path)
    assert f"{site}/gone.zip" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "folder", "message"),
    [("text.zip", "toy", "is not a zip file"), ("toy.zip", "other", "holds no folder 'other'")],
)
def test_an_archive_of_another_kind_is_refused(
    site: str, tmp_path: Path, name: str, folder: str, message: str
) -> None:
    data = (tmp_path / "site" / name).read_bytes()
    with pytest.raises(DataError, match=message):
        fetch(_recipe(f"{site}/{name}", _md5(data), folder), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def _assert_says_what_to_do(error: OfflineError, recipe: Recipe, target: Path) -> None:
    assert recipe.archive is not None
    for part in ("toy.zip", recipe.archive.url, recipe.archive.checksum, str(target)):
        assert part in str(error)
    assert error.exit_code == 5


def test_without_a_network_the_error_says_what_to_do_by_hand(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        recipe = _recipe(f"http://127.0.0.1:{free.getsockname()[1]}/toy.zip")
        with pytest.raises(OfflineError, match="cannot be downloaded") as refused:
            fetch(recipe, tmp_path)
    _assert_says_what_to_do(refused.value, recipe, tmp_path / "toy")


def test_when_switched_off_the_network_is_not_touched(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe(f"{site}/toy.zip")
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    with pytest.raises(OfflineError, match="RECSYS_OFFLINE is set") as refused:
        fetch(recipe, tmp_path / "cache")
    _assert_says_what_to_do(refused.value, recipe, tmp_path / "cache" / "toy")
    monkeypatch.setenv("RECSYS_OFFLINE", "0")
    assert fetch(recipe, tmp_path / "cache").is_dir()


def test_data_without_an_archive_cannot_be_fetched(tmp_path: Path) -> None:
    recipe = _recipe("http://127.0.0.1/toy.zip").model_copy(update={"archive": None})
    with pytest.raises(DataError, match="toy cannot be downloaded"):
        fetch(recipe, tmp_path)
