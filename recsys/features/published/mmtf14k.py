"""MMTF-14K's feature tables: sound and pictures of 13,623 trailers, by MovieLens movie id.

Deldjoo, Constantin, Ionescu, Schedl and Cremonesi, "MMTF-14K: A Multifaceted Movie Trailer Feature
Dataset for Recommendation and Retrieval", MMSys 2018, pages 450-455. Zenodo record 1225406.

Tables are found by the names of their files, at any depth, in either of the spellings that are in
use; columns are read by position. Genres and tags in it are labels and not offered as features.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO

from recsys.config.imports import (
    AestheticTable,
    AlexNetTable,
    BlockLevelTable,
    IvectorTable,
    MmtfImport,
)
from recsys.data.catalogue import EncoderCard
from recsys.data.movies import split_title
from recsys.data.rawtable import Encoding
from recsys.errors import ConfigError, DataError
from recsys.features.published.csv_vectors import CsvSource, read_csv_vectors
from recsys.features.published.vectors import IdVectors, side_by_side


class CsvArchive:
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
        kept = (n for n in found if n.casefold().endswith(".csv") and "/._" not in f"/{n}")
        return tuple(sorted(kept))

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


ENCODING: Encoding = "latin-1"

Key = tuple[str, ...]
"""A table: ("ivector", fold, gmm, tv_dim), ("blf", part, component), ("aesthetic", aggregation,
features) or ("alexnet", aggregation), in lower case."""

_FILES = (
    (r"IVec_splitItem_fold_(\d+)_gmm_(\d+)_tvDim_(\d+)\.csv", r"ivector/\1/\2/\3"),
    (r"IVectorFeatures - GMM_tvDim_fold - (\d+)_(\d+)_(\d+)\.csv", r"ivector/\3/\1/\2"),
    (r"(All|Component6)/BLF_(\w+)feat\.csv", r"blf/\1/\2"),
    (r"BlockLevelFeatures - (All|Component6) - (\w+)\.csv", r"blf/\1/\2"),
    (r"AestheticFeatures - (\w+) - (\w+)\.csv", r"aesthetic/\1/\2"),
    (r"AlexNetFeatures - (\w+) - fc7\.csv", r"alexnet/\1"),
)
_AGGREGATIONS = {
    "Avg": "mean over the frames",
    "AvgVar": "mean and variance over the frames",
    "Med": "median over the frames",
    "MedMad": "median and median absolute deviation over the frames",
}
_ALEXNET, _AESTHETIC = 4096, 107


def key_of(name: str) -> Key | None:
    """Which table the file of that path is; None if it is none."""
    for pattern, key in _FILES:
        match = re.search(rf"(?:^|/){pattern}$", name, re.IGNORECASE)
        if match:
            return tuple(match.expand(key).casefold().split("/"))
    return None


class Mmtf14k:
    """The archive, as a folder or a zip.

    Args:
        path: the folder or the zip.

    Raises:
        DataError: it is neither, or holds none of the tables.
    """

    def __init__(self, path: Path) -> None:
        self.archive = CsvArchive(path)
        if not self.tables:
            raise DataError(
                f"{path} holds none of MMTF-14K's tables",
                hint="a file is called, for example, IVec_splitItem_fold_1_gmm_256_tvDim_100.csv",
            )

    @cached_property
    def tables(self) -> dict[Key, str]:
        """Every table to its file; of two files of one table the first by name."""
        found: dict[Key, str] = {}
        for name in self.archive.names:
            if key := key_of(name):
                found.setdefault(key, name)
        return found

    def read(self, table: MmtfImport) -> tuple[IdVectors, EncoderCard]:
        """The rows of a table and how they were made.

        Raises:
            ConfigError: the archive does not hold the table; it lists those it does.
            DataError: a file cannot be used as it is.
        """
        keys = self._keys(table)
        files = [self.archive.source(self.tables[key], ENCODING) for key in keys]
        found = side_by_side([read_csv_vectors(file) for file in files])
        expected = _width(table)
        if expected not in {None, found.dim}:
            raise DataError(
                f"{found.origin}: {found.dim} columns after the id, this table has {expected}",
                hint="the file is cut or is another table: fetch the archive again",
            )
        return found, _card(table, keys, found.dim)

    def _keys(self, table: MmtfImport) -> list[Key]:
        wanted = _key(table)
        keys = sorted(key for key in self.tables if key[: len(wanted)] == wanted)
        if not keys:
            alike = [key for key in self.tables if key[0] == wanted[0]] or list(self.tables)
            raise ConfigError(
                f"{self.archive.path} holds no table {' '.join(wanted)}",
                hint=f"it holds: {_listed(alike)}",
            )
        return keys


def _key(table: MmtfImport) -> Key:
    if isinstance(table, IvectorTable):
        parts: tuple[object, ...] = ("ivector", table.fold, table.gmm, table.tv_dim)
    elif isinstance(table, BlockLevelTable):
        component = re.sub(r"\W|_", "", table.component or "")
        parts = ("blf", table.part, *filter(None, [component]))
    elif isinstance(table, AestheticTable):
        parts = ("aesthetic", table.aggregation, table.features)
    else:
        parts = ("alexnet", table.aggregation)
    return tuple(str(part).casefold() for part in parts)


def _listed(keys: Sequence[Key], most: int = 24) -> str:
    named = [" ".join(key) for key in sorted(keys)]
    more = f"; … and {len(named) - most} more" if len(named) > most else ""
    return "; ".join(named[:most]) + more


def _width(table: MmtfImport) -> int | None:
    """The published number of columns, where it is known."""
    if isinstance(table, IvectorTable):
        return table.tv_dim
    if isinstance(table, BlockLevelTable):
        return None
    doubled = 1 + (table.aggregation in {"AvgVar", "MedMad"})
    if isinstance(table, AlexNetTable):
        return _ALEXNET * doubled
    return _AESTHETIC * doubled if table.features.casefold() == "all" else None


def _card(table: MmtfImport, keys: Sequence[Key], dim: int) -> EncoderCard:
    name, preprocessing, pooling = _made(table, keys)
    return EncoderCard(
        name=f"MMTF-14K {name}",
        revision="Zenodo record 1225406",
        dim=dim,
        preprocessing=preprocessing,
        pooling=pooling,
        licence="as stated at Zenodo record 1225406",
        paper="Deldjoo et al., MMTF-14K, MMSys 2018, pages 450-455",
    )


def _made(table: MmtfImport, keys: Sequence[Key]) -> tuple[str, str, str]:
    """Name, preprocessing and pooling."""
    sound, frames = "sound of the trailer", "frames of the trailer"
    if isinstance(table, IvectorTable):
        model = f"a background model of {table.gmm} Gaussians, trained without part {table.fold}"
        name = f"i-vector, fold {table.fold}, GMM {table.gmm}, tvDim {table.tv_dim}"
        return name, f"{sound}: MFCC", f"total variability of {model}"
    if isinstance(table, BlockLevelTable):
        components = ", ".join(key[-1] for key in keys)
        return f"block-level features, {table.part}: {components}", sound, "percentiles of blocks"
    pooling = _AGGREGATIONS[table.aggregation]
    if isinstance(table, AlexNetTable):
        return f"AlexNet fc7, {table.aggregation}", frames, pooling
    return f"aesthetic features, {table.aggregation}, {table.features}", frames, pooling


def read_titles(archive: CsvArchive) -> dict[str, str]:
    """Film id to title, without its year, of ``movie_description.csv``; none where it is missing.

    Raises:
        DataError: a line is too short.
    """
    titles: dict[str, str] = {}
    for name in [name for name in archive.names if name.endswith("movie_description.csv")][:1]:
        for number, fields in islice(archive.source(name, ENCODING).lines(), 1, None):
            if len(fields) == 1:
                raise DataError(f"{archive.path}: {name}, line {number} has one field: {fields}")
            if fields:
                titles[fields[0].strip()] = split_title(fields[1].strip())[0]
    return titles
