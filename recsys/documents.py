"""What everything is that is written to a file and read back from it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A record in JSON or YAML: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def key_types(cls) -> dict[str, Any]:
        """The type of what stands under each key."""
        return {name: field.annotation for name, field in cls.model_fields.items()}


def json_fingerprint(values: Any) -> str:
    """SHA-256, hexadecimal, of plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
