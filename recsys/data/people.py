"""What a data set tells of its users: age, occupation, where they live.

Only models whose users come with such facts read them; a history is all the others need.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.data.rawtable import Layout, read_delimited, require_columns
from recsys.data.readers import atomic
from recsys.errors import DataError

_GROUPLENS: Mapping[str, Layout] = {
    "u.user": Layout("|", "latin-1", columns=("id", "age", "gender", "occupation", "zip")),
    "users.dat": Layout("::", "latin-1", columns=("id", "gender", "age", "occupation", "zip")),
}


@dataclass(frozen=True)
class Person:
    """One user.

    Attributes:
        age: in years, or the first year of an age group; NaN where unknown.
        occupation: as the source names it, "" where unknown.
        zip_code: postal code, "" where unknown.
    """

    age: float = math.nan
    occupation: str = ""
    zip_code: str = ""


def read_people(folder: Path | None) -> dict[str, Person]:
    """The users of a data set by id; empty where its folder has no file about them.

    So it is for ratings that came from memory, where there is no folder.

    It reads ``u.user`` of MovieLens-100K, ``users.dat`` of MovieLens-1M, or RecBole's ``.user``.

    Raises:
        DataError: the file cannot be used as it is.
    """
    if folder is None:
        return {}
    for name, layout in _GROUPLENS.items():
        if (folder / name).is_file():
            return _people(folder / name, read_delimited(folder / name, layout).strict())
    for path in sorted(folder.glob("*.user"))[:1]:
        columns = {name: [str(v) for v in values] for name, values in _atomic(path).items()}
        return _people(path, columns)
    return {}


def _atomic(path: Path) -> dict[str, list[str]]:
    columns = atomic.read_atomic(path)
    require_columns(path, list(columns), ["user_id"])
    empty = [""] * len(columns["user_id"])
    names = {"id": "user_id", "age": "age", "occupation": "occupation", "zip": "zip_code"}
    return {name: columns.get(column, empty) for name, column in names.items()}


def _people(path: Path, columns: Mapping[str, list[str]]) -> dict[str, Person]:
    rows = zip(columns["id"], columns["age"], columns["occupation"], columns["zip"], strict=True)
    return {
        id_: Person(_age(path, id_, age), occupation.strip(), code.strip())
        for id_, age, occupation, code in rows
    }


def _age(path: Path, id_: str, text: str) -> float:
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        raise DataError(f"{path}: the age of user {id_} is {text!r}, not a number") from None
