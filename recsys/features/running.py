"""Statistics and samples of a stream of unknown length, in memory that does not grow with it.

Legend: N rows of one batch, D dimensions, S samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Moments:
    """Mean and standard deviation of rows that come in batches.

    Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances", 1979, equation 2.1.
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.mean: NDArray[np.float64] = np.zeros(dim)
        self._squares: NDArray[np.float64] = np.zeros(dim)

    def add(self, rows: NDArray[np.float64]) -> None:
        """Take (N, D) more rows."""
        if not len(rows):
            return
        mean = rows.mean(axis=0, dtype=np.float64)
        total = self.count + len(rows)
        difference = mean - self.mean
        self._squares += ((rows - mean) ** 2).sum(axis=0)
        self._squares += difference**2 * (self.count * len(rows) / total)
        self.mean = self.mean + difference * (len(rows) / total)
        self.count = total

    @property
    def std(self) -> NDArray[np.float64]:
        """(D,) population standard deviation; 0 before the first row."""
        deviation: NDArray[np.float64] = np.sqrt(self._squares / max(self.count, 1))
        return deviation


class EvenSample(Generic[T]):
    """Things spread evenly over a stream.

    Every n-th thing is kept; when more than four times as many as wanted have come together, every
    other one is dropped and n doubles.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._stride = 1
        self._offered = 0
        self._kept: list[T] = []

    def offer(self, make: Callable[[], T]) -> None:
        """One more thing, which is made only when it is kept."""
        if self._offered % self._stride == 0 and self._size:
            self._kept.append(make())
        self._offered += 1
        if len(self._kept) > 4 * self._size:
            self._kept = self._kept[::2]
            self._stride *= 2

    def take(self) -> list[T]:
        """``size`` things in their order, or as many as there are."""
        kept = len(self._kept)
        wanted = min(self._size, kept)
        return [self._kept[(2 * i + 1) * kept // (2 * wanted)] for i in range(wanted)]


def pieces(blocks: Iterable[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    """Arrays of any length (S,), put together again in arrays of ``size``; the last is shorter."""
    pending: list[NDArray[np.float32]] = []
    for block in blocks:
        pending.append(block)
        if sum(map(len, pending)) >= size:
            joined = np.concatenate(pending)
            whole = len(joined) - len(joined) % size
            yield from (joined[start : start + size] for start in range(0, whole, size))
            pending = [joined[whole:]]
    rest = np.concatenate([np.zeros(0, dtype=np.float32), *pending])
    if len(rest):
        yield rest
