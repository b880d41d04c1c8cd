"""What every part of a configuration is."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ConfigDict

from recsys.documents import Document
from recsys.errors import ConfigError


class Section(Document):
    """A part of the configuration: immutable, finite, and a key it does not know is an error."""

    model_config = ConfigDict(allow_inf_nan=False)


def expand(path: Path) -> Path:
    """The path with ``~`` and ``$VARIABLES`` replaced: a configuration keeps them as they are.

    Raises:
        ConfigError: a variable is not set.
    """
    expanded = os.path.expandvars(path)
    if "$" in expanded:
        raise ConfigError(
            f"{path}: an environment variable in it is not set", hint="set it, or give the path"
        )
    return Path(expanded).expanduser()
