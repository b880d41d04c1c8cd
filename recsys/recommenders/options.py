"""Hyper-parameters that check themselves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from recsys.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Options:
    """Base of hyper-parameters.

    Raises:
        ConfigError: a value is not of the declared kind; a whole number will do for a real one.
    """

    def __post_init__(self) -> None:
        for name, adapter in _adapters(type(self)).items():
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, adapter.validate_python(value, strict=True))
            except ValidationError as error:
                raise ConfigError(
                    f"{type(self).__name__}: {name} is {value!r}", hint=error.errors()[0]["msg"]
                ) from None


@cache
def _adapters(kind: Any) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: TypeAdapter(hints[field.name]) for field in fields(kind)}
