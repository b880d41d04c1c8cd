"""Published files as they come: in a folder, or still in their zip."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO

from recsys.data.textfile import Encoding
from recsys.errors import DataError
from recsys.features.published.csv_vectors import CsvSource


class Archive:
    """A folder or a zip of CSV files; a zip is read where it is, never unpacked.

    Args:
        path: the folder or the zip.

    Raises:
        DataError: it is neither.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir() and not (path.is_file() and zipfile.is_zipfile(path)):
            raise DataError(
                f"{path} is neither a folder nor a zip",
                hint="a download that broke off is no zip: fetch it again",
            )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The CSV files at any depth, as paths with ``/``."""
        if self.path.is_dir():
            found = [file.relative_to(self.path).as_posix() for file in self.path.rglob("*")]
        else:
            with zipfile.ZipFile(self.path) as whole:
                found = whole.namelist()
        # "._x.csv" is what macOS keeps beside x.csv.
        return tuple(
            sorted(
                name
                for name in found
                if name.casefold().endswith(".csv") and "/._" not in f"/{name}"
            )
        )

    def files(self, name: str) -> list[str]:
        """The first file of that name, in whatever folder; none where there is no such file."""
        return [path for path in self.names if path.rpartition("/")[2] == name][:1]

    def __contains__(self, name: str) -> bool:
        return bool(self.files(name))

    def source(self, name: str, encoding: Encoding) -> CsvSource:
        """One of the files."""
        return CsvSource(f"{self.path}: {name}", lambda: self._open(name), encoding)

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        if self.path.is_dir():
            with (self.path / name).open("rb") as stream:
                yield stream
            return
        try:
            with zipfile.ZipFile(self.path) as whole, whole.open(name) as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise DataError(
                f"{self.path}: {name} is damaged: {error}", hint="fetch the archive again"
            ) from error
