"""Downloading a data set: checked against its checksum, and whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from recsys.data.files import is_offline
from recsys.data.recipes import Archive, Recipe
from recsys.data.sources import cache_dir
from recsys.errors import DataError, OfflineError


def fetch(recipe: Recipe, root: Path | None = None) -> Path:
    """Download and unpack a data set, unless it is there already.

    Args:
        recipe: which one.
        root: the folder to put its folder in; the cache by default.

    Returns:
        The folder of the data set.

    Raises:
        OfflineError: the network is out of reach or switched off by ``RECSYS_OFFLINE=1``.
        DataError: there is nothing to download, the server refuses, or the archive is not the one
            the recipe means.
    """
    target = (root or cache_dir()) / recipe.name
    if target.is_dir():
        return target
    if recipe.archive is None:
        raise DataError(f"{recipe.name} cannot be downloaded", hint=f"see {recipe.homepage}")
    if is_offline():
        raise OfflineError(
            f"RECSYS_OFFLINE is set, and {recipe.archive.filename} is needed from "
            f"{recipe.archive.url}",
            hint=_by_hand(recipe.archive, target),
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as work:
        archive = _download(recipe.archive, Path(work), target)
        _unpack(archive, recipe.archive, target)
    return target


def _download(archive: Archive, work: Path, target: Path) -> Path:
    bar = _ProgressBar(archive.filename)
    try:
        path = pooch.retrieve(
            archive.url,
            known_hash=archive.checksum,
            fname=archive.filename,
            path=work,
            downloader=pooch.HTTPDownloader(progressbar=bar),
        )
    except requests.HTTPError as error:
        raise DataError(
            f"{archive.url}: the server answered {error}", hint=_by_hand(archive, target)
        ) from error
    except requests.RequestException as error:
        raise OfflineError(
            f"{archive.filename} cannot be downloaded from {archive.url}: {error}",
            hint=_by_hand(archive, target),
        ) from error
    except ValueError as error:
        raise DataError(
            f"{archive.url}: what was downloaded does not have the checksum {archive.checksum}",
            hint="try again; if it stays so, the archive has been altered or replaced",
        ) from error
    finally:
        bar.close()
    return Path(path)


def _unpack(path: Path, archive: Archive, target: Path) -> None:
    unpacked = path.parent / "unpacked"
    try:
        with zipfile.ZipFile(path) as opened:
            opened.extractall(unpacked)
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive.url} is not a zip file: {error}") from error
    if not (unpacked / archive.folder).is_dir():
        raise DataError(f"{archive.url} holds no folder {archive.folder!r}")
    shutil.move(unpacked / archive.folder, target)


def _by_hand(archive: Archive, target: Path) -> str:
    return (
        f"get {archive.url} elsewhere, check that its checksum is {archive.checksum}, and unpack "
        f"it so that the files of its folder {archive.folder}/ are in {target}"
    )


class _ProgressBar:
    """What pooch asks of a progress bar, drawn on standard error."""

    def __init__(self, label: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(label, total=None)
        self._progress.start()
        self.total: float | None = None

    def update(self, amount: float) -> None:
        self._progress.update(self._task, total=self.total, advance=amount)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.stop()
