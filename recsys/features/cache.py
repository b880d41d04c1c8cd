"""Encoded vectors, kept by what they were made from, so that nothing is encoded twice.

One file an encoder card holds a hash of the rest, then safetensors: the digests of N materials and
their (N, D) vectors. The hash is checked before anything is parsed. Files are replaced as a whole:
a reader sees the old one or the new one. Of two processes that write at once, the later wins and
the vectors of the other are encoded again when they are next needed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray
from safetensors.numpy import load, save

from recsys.data.catalogue import EncoderCard
from recsys.data.files import atomic_write

Vectors = Mapping[str, NDArray[np.float32]]
"""Digest of a material to its (D,) vector."""

_log = logging.getLogger(__name__)


def cache_root() -> Path:
    """``$RECSYS_CACHE_DIR/features``, else the user's cache folder."""
    given = os.environ.get("RECSYS_CACHE_DIR")
    root = Path(given).expanduser() if given else platformdirs.user_cache_path("recsys")
    return root / "features"


class FeatureCache:
    """A folder of encoded vectors.

    A file that is damaged or cannot be read counts as empty, one that cannot be written is left
    out; both are logged as warnings, for a cache must never stop a run.

    Args:
        root: the folder; the user's cache folder, or that of ``RECSYS_CACHE_DIR``, unless given.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_root() if root is None else root

    def path(self, card: EncoderCard) -> Path:
        """The file of an encoder."""
        return self.root / f"{_card_hash(card)[:32]}.vectors"

    def read(self, card: EncoderCard) -> Vectors:
        """All vectors that an encoder has made; none where the file is missing or damaged."""
        path = self.path(card)
        try:
            return _unpack(path.read_bytes(), card)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _log.warning("feature cache %s is not used and will be rebuilt: %s", path, error)
            return {}

    def add(self, card: EncoderCard, vectors: Vectors) -> None:
        """Keep more vectors beside those that are there."""
        path = self.path(card)
        try:
            content = _pack({**self.read(card), **vectors}, card)
            with atomic_write(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            _log.warning("feature cache %s cannot be written: %s", path, error)


def _card_hash(card: EncoderCard) -> str:
    return hashlib.sha256(json.dumps(asdict(card), sort_keys=True).encode()).hexdigest()


def _pack(vectors: Vectors, card: EncoderCard) -> bytes:
    digests = np.array([list(bytes.fromhex(digest)) for digest in vectors], dtype=np.uint8)
    stacked = np.stack(list(vectors.values())).astype(np.float32)
    body = save({"digests": digests, "vectors": stacked})
    return _seal(body, card) + body


def _unpack(raw: bytes, card: EncoderCard) -> Vectors:
    """The vectors of a file.

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
    return hashlib.sha256(_card_hash(card).encode() + body).digest()
