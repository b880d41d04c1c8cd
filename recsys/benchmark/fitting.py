"""A contender is made and fitted; whatever is measured of it begins here."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, cast

from recsys.benchmark.contender import Contender, Model, Options
from recsys.benchmark.grounds import Ground
from recsys.benchmark.protocols import Cell
from recsys.benchmark.side_inputs import told_of_people


class Fitted(NamedTuple):
    """A fitted model.

    Attributes:
        model: it answers for the ground it was fitted on.
        seconds: of the fit.
    """

    model: Model
    seconds: float


def fit(
    contender: Contender, options: Options, cell: Cell, ground: Ground, *, for_test: bool = True
) -> Fitted:
    """Fit a fresh model, told of the users if it asks.

    Args:
        contender: who.
        options: a point of its space.
        cell: whose seed the model takes.
        ground: what it is fitted on.
        for_test: whether test ratings are handed to a contender that is fitted by another program,
            which judges what it fitted by itself.
    """
    model = contender.make(options, cell.seed)
    model = told_of_people(model, ground.material.dataset.origin)
    more: dict[str, Any] = {}
    if contender.fits_elsewhere and for_test:
        more["test"] = ground.of_known_users(ground.split.test)
    started = time.perf_counter()
    cast(Any, model).fit(ground.split.train, ground.split.valid, ground.catalogue, **more)
    return Fitted(model, time.perf_counter() - started)
