"""From one cell of a table of movies to the values it holds."""

from __future__ import annotations

import ast
import json
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

FieldKind = Literal["token", "text", "number"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class FieldSpec:
    """Where one fact stands in a table, and how its cells are read.

    Attributes:
        column: the column it stands in.
        kind: "token" for values that movies share, "text" for words, one string a movie, "number"
            for a quantity, kept as the text of that number.
        separator: what stands between several values; None when a cell holds one.
        names: a cell holds a JSON or Python list, of names or of objects with a ``name``, or a
            single such object.
        jobs: of the objects of such a list, only those with one of these as ``job``.
        limit: how many values are kept, the first ones.
        missing: values that say nothing, whatever their case: ``0`` for a budget, ``N/A``.
    """

    column: str
    kind: FieldKind = "token"
    separator: str | None = None
    names: bool = False
    jobs: tuple[str, ...] = ()
    limit: int | None = None
    missing: tuple[str, ...] = ()


def parse_cell(cell: str, spec: FieldSpec) -> tuple[str, ...]:
    """The values of a cell, each once, in their order; () when it says nothing.

    Raises:
        ValueError: the cell is not what the specification says.
    """
    nothing = {"", *(value.casefold() for value in spec.missing)}
    if cell.strip().casefold() in nothing:
        return ()
    values = [" ".join(value.split()) for value in _split(cell, spec)]
    if spec.kind == "text":
        values = [" ".join(value for value in values if value)]
    elif spec.kind == "number":
        values = [number_text(value) for value in values if value]
    kept = dict.fromkeys(value for value in values if value.casefold() not in nothing)
    return tuple(kept)[: spec.limit]


def _split(cell: str, spec: FieldSpec) -> list[str]:
    if spec.names:
        return _names(_literal(cell), spec.jobs)
    return [cell] if spec.separator is None else cell.split(spec.separator)


def number_text(text: str) -> str:
    """A number in its shortest form: ``97.0`` as ``97``.

    Raises:
        ValueError: it is none, or not a finite one.
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError("not a number")
    return str(int(value)) if value.is_integer() else repr(value)


def _literal(cell: str) -> Any:
    """Published tables hold JSON, or lists as Python prints them."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(cell)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    raise ValueError("neither JSON nor a Python literal")


def _names(value: Any, jobs: tuple[str, ...]) -> list[str]:
    if value is None:
        return []
    parts = value if isinstance(value, list | tuple) else [value]
    if not jobs:
        return [_name(part) for part in parts if part is not None]
    return [_name(part) for part in parts if isinstance(part, dict) and part.get("job") in jobs]


def _name(part: Any) -> str:
    name = part.get("name") if isinstance(part, dict) else part
    if not isinstance(name, str):
        raise ValueError("not a list of names")
    return name
