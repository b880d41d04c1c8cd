"""Hyper-parameters that check themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from recsys.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Options:
    """Base of hyper-parameters: frozen, and every value is of its declared kind.

    Raises:
        ConfigError: one is not.
    """

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in checked(type(self), given).items():
            object.__setattr__(self, name, value)


def checked(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a dataclass's fields as it declares them; a whole number will do for a real one.

    Raises:
        ConfigError: a value is of another kind.
    """
    adapters, found = _adapters(kind), {}
    for name, value in values.items():
        try:
            found[name] = adapters[name].validate_python(value, strict=True)
        except ValidationError as error:
            needed = error.errors()[0]["msg"]
            raise ConfigError(f"{kind.__name__}: {name} is {value!r}", hint=needed) from None
    return found


@cache
def _adapters(kind: Any) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: TypeAdapter(hints[field.name]) for field in fields(kind)}
