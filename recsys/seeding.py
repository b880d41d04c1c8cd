"""One root seed, many named independent streams.

A component asks for a stream by name, so that adding a consumer never shifts the random numbers of
another: the id offsets of a model are the same whether or not a modality is present.
"""

from __future__ import annotations

import hashlib

import numpy as np


def seed_for(root: int, name: str) -> int:
    """A 63-bit seed that depends on both arguments and on nothing else."""
    digest = hashlib.sha256(f"{root}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(root: int, name: str) -> np.random.Generator:
    """An independent NumPy generator for one named purpose."""
    return np.random.default_rng(seed_for(root, name))
