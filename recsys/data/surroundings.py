"""What the environment says: where things may be kept, and whether the network may be used."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """``RECSYS_CACHE_DIR``, else the user's cache folder."""
    given = os.environ.get("RECSYS_CACHE_DIR")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("recsys")


def is_offline() -> bool:
    """Whether ``RECSYS_OFFLINE`` keeps off the network."""
    return os.environ.get("RECSYS_OFFLINE", "0") not in {"", "0"}
