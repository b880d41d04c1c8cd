"""Encoded vectors, kept by what they were made from, so that nothing is encoded twice.

The vectors of an encoder card lie in segments, files that are written once: a hash of the rest,
then safetensors with the digests of N inputs and their (N, D) vectors. The hash is checked
before anything is parsed. What is added becomes a new segment; when small ones have gathered they
are merged into one, so that every vector is rewritten a few times at most, however many there are.
Segments appear as a whole and vanish only after the one that replaces them is there: a reader never
sees half of anything. Two processes may write at once; when both write the very first segment, one
may replace the other, and its vectors are encoded again when they are next needed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from recsys.data.catalogue import EncoderCard
from recsys.data.files import atomic_write, cache_folder

Vectors = Mapping[str, NDArray[np.float32]]
"""Digest of a input to its (D,) vector."""

SMALL_BYTES = 32 * 2**20
"""Segments below this are merged with others."""

SMALL_SEGMENTS = 16
"""As many small segments are tolerated."""

_log = logging.getLogger(__name__)


def cache_root() -> Path:
    """``$RECSYS_CACHE_DIR/features``, else the user's cache folder."""
    return cache_folder() / "features"


def card_key(card: EncoderCard) -> str:
    """A hash of everything that a card says."""
    return hashlib.sha256(json.dumps(asdict(card), sort_keys=True).encode()).hexdigest()


class FeatureCache:
    """A folder of encoded vectors.

    A segment that is damaged is removed, one that cannot be read counts as empty, vectors that
    cannot be written are left out; all are logged as warnings, for a cache must never stop a run.

    Args:
        root: the folder; the user's cache folder, or that of ``RECSYS_CACHE_DIR``, unless given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_root() if root is None else root

    def path(self, card: EncoderCard) -> Path:
        """The first segment of an encoder."""
        return self.root / f"{card_key(card)[:32]}.vectors"

    def read(self, card: EncoderCard, wanted: Collection[str] | None = None) -> Vectors:
        """The vectors that an encoder has made: all of them, or those of the wanted digests."""
        return self._gather(card, lambda found: _chosen(found, wanted))

    def digests(self, card: EncoderCard) -> set[str]:
        """Of which inputs there are vectors, with never more than one segment in memory."""
        return set(self._gather(card, lambda found: dict.fromkeys(found, _NOTHING)))

    def add(self, card: EncoderCard, vectors: Vectors) -> bool:
        """Keep more vectors beside those that are there, and say whether they could be kept."""
        if not vectors:
            return True
        first = self.path(card)
        path = self._another(card) if first.exists() else first
        try:
            _write(path, vectors, card)
            self._tidy(card)
        except OSError as error:
            _log.warning("feature cache %s cannot be written: %s", path, error)
            return False
        return True

    def _another(self, card: EncoderCard) -> Path:
        return self.path(card).with_suffix(f".{uuid.uuid4().hex}.vectors")

    def _segments(self, card: EncoderCard) -> list[Path]:
        first = self.path(card)
        return sorted(self.root.glob(f"{first.stem}*{first.suffix}"))

    def _gather(self, card: EncoderCard, take: Callable[[Vectors], Vectors]) -> Vectors:
        """What is taken from every segment.

        A segment that was merged away while others were read is looked for among the new ones.
        """
        found: dict[str, NDArray[np.float32]] = {}
        seen: set[Path] = set()
        while new := [path for path in self._segments(card) if path not in seen]:
            seen.update(new)
            for path in new:
                found |= take(self._read_segment(path, card))
        return found

    def _read_segment(self, path: Path, card: EncoderCard) -> Vectors:
        try:
            return self._load(path, card)
        except OSError as error:
            _log.warning("feature cache %s is not used: %s", path, error)
            return {}

    def _load(self, path: Path, card: EncoderCard) -> Vectors:
        """The vectors of a segment; none where it is damaged, or was merged away meanwhile."""
        try:
            return _unpack(path.read_bytes(), card)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            _log.warning("feature cache %s is removed and will be rebuilt: %s", path, error)
            path.unlink(missing_ok=True)
            return {}

    def _tidy(self, card: EncoderCard) -> None:
        """Merge the smallest segments where there are too many."""
        sizes = {path: size for path, size in _sizes(self._segments(card)) if size < SMALL_BYTES}
        if len(sizes) < SMALL_SEGMENTS:
            return
        smallest = sorted(sizes, key=lambda path: sizes[path])
        room = np.cumsum([sizes[path] for path in smallest]) <= 2 * SMALL_BYTES
        merged = [path for path, fits in zip(smallest, room, strict=True) if fits]
        vectors: dict[str, NDArray[np.float32]] = {}
        for path in merged:
            vectors |= self._load(path, card)
        if vectors:
            _write(self._another(card), vectors, card)
        for path in merged:
            path.unlink(missing_ok=True)


_NOTHING = np.empty(0, dtype=np.float32)


def _chosen(vectors: Vectors, wanted: Collection[str] | None) -> Vectors:
    """Copies of the wanted vectors, so that the others need not stay in memory."""
    if wanted is None:
        return vectors
    return {digest: vectors[digest].copy() for digest in vectors.keys() & set(wanted)}


def _sizes(paths: list[Path]) -> Iterator[tuple[Path, int]]:
    """Sizes of those that are still there."""
    for path in paths:
        try:
            yield path, path.stat().st_size
        except FileNotFoundError:
            continue


def _write(path: Path, vectors: Vectors, card: EncoderCard) -> None:
    content = _pack(vectors, card)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _pack(vectors: Vectors, card: EncoderCard) -> bytes:
    digests = np.array([list(bytes.fromhex(digest)) for digest in vectors], dtype=np.uint8)
    stacked = np.stack(list(vectors.values())).astype(np.float32)
    body = save({"digests": digests, "vectors": stacked})
    return _seal(body, card) + body


def _unpack(raw: bytes, card: EncoderCard) -> Vectors:
    """The vectors of a segment.

    Raises:
        ValueError: the file was altered, cut short, or belongs to another encoder.
    """
    seal, body = raw[:32], raw[32:]
    if seal != _seal(body, card):
        raise ValueError("its checksum does not match")
    arrays = load(body)
    digests = [row.tobytes().hex() for row in arrays["digests"]]
    return dict(zip(digests, arrays["vectors"], strict=True))


def _seal(body: bytes, card: EncoderCard) -> bytes:
    """32 bytes that fit this body of this encoder alone."""
    return hashlib.sha256(card_key(card).encode() + body).digest()
