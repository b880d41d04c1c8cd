"""Our split as the files RecBole reads.

Tokens are row numbers, not ids: text such as "NA", which a reader of tables takes for something
else, never reaches it, and there is no way back to get wrong. A list of all users and one of all
movies give a movie that nobody rated in training a column all the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsys.benchmark.recbole.exchange import DATASET, TEST
from recsys.data.interactions import Interactions
from recsys.errors import DataError
from recsys.features.export import write_tabbed


def write_parts(
    folder: Path, train: Interactions, valid: Interactions, test: Interactions | None
) -> None:
    """Write train, valid, the users and the movies as a data set, and test outside of it.

    Raises:
        DataError: train, valid or a given test is empty.
    """
    data = folder / DATASET
    data.mkdir()
    paths = {
        "train": data / f"{DATASET}.train.inter",
        "valid": data / f"{DATASET}.valid.inter",
        "test": folder / TEST,
    }
    for (name, path), part in zip(paths.items(), (train, valid, test), strict=True):
        if part is not None:
            if not len(part):
                raise DataError(
                    f"RecBole needs {name} ratings, and there is none", hint="use another split"
                )
            columns = {"user_id:token": _tokens(part.user), "item_id:token": _tokens(part.item)}
            write_tabbed(path, columns)
    for kind, rows in zip(("user", "item"), train.shape, strict=True):
        column = {f"{kind}_id:token": _tokens(np.arange(rows))}
        write_tabbed(data / f"{DATASET}.{kind}", column)


def _tokens(rows: NDArray[np.integer[Any]]) -> pa.Array:
    return pa.array(rows).cast(pa.string())
