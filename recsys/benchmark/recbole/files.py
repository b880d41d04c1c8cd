"""Our split as the files RecBole reads.

Tokens are row numbers, not ids: text such as "NA", which a reader of tables takes for something
else, never reaches it, and there is no way back to get wrong. A list of all users and one of all
movies give a movie that nobody rated in training a column all the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.benchmark.recbole.exchange import DATASET, TEST
from recsys.data.interactions import Interactions
from recsys.data.splits import Split, SplitSpec, write_split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.features.export import write_tabbed


def write_parts(
    folder: Path, train: Interactions, valid: Interactions, test: Interactions | None
) -> None:
    """Write train, valid, the users and the movies as a data set, and test outside of it.

    Raises:
        DataError: train, valid or a given test is empty, or a rating is in two of them.
        AlignmentError: they have different vocabularies.
    """
    for name, part in (("train", train), ("valid", valid), ("test", test)):
        if part is not None and not len(part):
            raise DataError(
                f"RecBole needs {name} ratings, and there is none", hint="use another split"
            )
    nothing = train.select(np.empty(0, dtype=np.int64))
    given = Split(train, valid, nothing if test is None else test, SplitSpec(DATASET, 0))
    write_split(_by_row(replace(given, test=nothing)), folder / DATASET)
    if test is not None:
        columns = {"user_id:token": test.user, "item_id:token": test.item}
        write_tabbed(folder / TEST, {name: pa.array(rows) for name, rows in columns.items()})
    for kind, rows in zip(("user", "item"), train.shape, strict=True):
        column = {f"{kind}_id:token": pa.array(np.arange(rows)).cast(pa.string())}
        write_tabbed(folder / DATASET / f"{DATASET}.{kind}", column)


def _by_row(split: Split) -> Split:
    """The same ratings with row numbers for ids, and without times, which are not used."""
    users, items = (
        Vocabulary(map(str, range(n)), kind=kind)
        for n, kind in zip(split.train.shape, ("user", "movie"), strict=True)
    )
    train, valid, test = (
        replace(part, users=users, items=items, time=None) for part in split.parts.values()
    )
    return Split(train, valid, test, split.spec)
