"""Which part each rating goes to, and the one way parts are drawn at random.

Legend: N ratings (or films, or movies) to divide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.seeding import stream

if TYPE_CHECKING:
    from recsys.data.split import SplitSpec

TRAIN: Final = 0
VALID: Final = 1
TEST: Final = 2

Parts = NDArray[np.int8]
"""(N,) ``TRAIN``, ``VALID`` or ``TEST``: every row is in exactly one part."""


class Request(NamedTuple):
    """What a rule needs to give every rating its part."""

    interactions: Interactions
    catalogue: Catalogue
    spec: SplitSpec

    def share(self, n: int, percent: str) -> int:
        """How many of ``n`` the named percentage of the spec is, rounded down."""
        return n * self.spec.params[percent] // 100

    def deal(self, n: int, *, valid: int, test: int) -> Parts:
        """``n`` parts drawn with the spec's seed; splits of other names draw independently."""
        return deal(
            n, valid=valid, test=test, rng=stream(self.spec.seed, f"split/{self.spec.name}")
        )


def deal(n: int, *, valid: int, test: int, rng: np.random.Generator) -> Parts:
    """(n,) parts with exactly so many ``VALID`` and ``TEST`` at random, the rest ``TRAIN``.

    Only the raw words of the bit generator are used: NumPy promises those for all versions to come,
    and does not promise the methods of ``Generator``.
    """
    order = np.argsort(rng.bit_generator.random_raw(n), kind="stable")
    parts = np.full(n, TRAIN, dtype=np.int8)
    parts[order[:test]] = TEST
    parts[order[test : test + valid]] = VALID
    return parts


def random_rows(request: Request) -> Parts:
    """``test_percent`` of all rows, then ``valid_percent`` of the rest, at random."""
    n = len(request.interactions)
    test = request.share(n, "test_percent")
    return request.deal(n, valid=request.share(n - test, "valid_percent"), test=test)
