"""How fast the sound of a trailer beats.

Legend: T frames, L lags.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import correlate

SLOWEST, FASTEST = 30.0, 300.0
"""Beats a minute that are looked for."""

BLOCK_SECONDS = 20.0
"""Onsets are correlated within pieces of this length, so that the tempo may drift."""

_PREFERRED, _OCTAVES = 120.0, 0.9  # beats a minute; spread of the preference
_WIDTH = 0.02  # seconds by which onsets are smoothed: a beat need not fall on a frame
_STEADY = 0.1  # dB; onsets that vary less are no beat


class Rhythm:
    """Tempo from the autocorrelation of onset strength, summed over pieces of the sound.

    Ellis, "Beat Tracking by Dynamic Programming", JNMR 36, 2007, equations 6 and 7: of several
    lags that fit, the one near 120 beats a minute is preferred.

    Args:
        rate: frames a second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._block = round(BLOCK_SECONDS * rate)
        self._left: NDArray[np.float64] = np.zeros(0)
        self._lags = int(60 * rate / SLOWEST) + 1
        self._products: NDArray[np.float64] = np.zeros(self._lags)
        self._pairs: NDArray[np.int64] = np.zeros(self._lags, dtype=np.int64)

    def add(self, onset: NDArray[np.float64]) -> None:
        """Hear (T,) more onset strengths."""
        self._left = np.concatenate([self._left, onset])
        while len(self._left) >= self._block:
            self._correlate(self._left[: self._block])
            self._left = self._left[self._block :]

    def finish(self) -> tuple[float, float]:
        """Beats a second, and how clear they are from 0 to 1; zeros where nothing beats.

        Call it once, at the end: the last piece is heard now, whatever its length.
        """
        self._correlate(self._left)
        mean = self._products / np.maximum(self._pairs, 1)
        lags = np.arange(max(1, int(60 * self._rate / FASTEST)), self._lags)
        octaves = np.log2(60 * self._rate / lags / _PREFERRED)
        fit = mean[lags] * np.exp(-0.5 * (octaves / _OCTAVES) ** 2)
        best = lags[int(np.argmax(fit))]
        if mean[0] < _STEADY**2 or mean[best] <= 0:
            return 0.0, 0.0
        return self._rate / float(best), float(min(mean[best] / mean[0], 1.0))

    def _correlate(self, onset: NDArray[np.float64]) -> None:
        count = min(len(onset), self._lags)
        if count < 2:
            return
        smooth = gaussian_filter1d(onset, _WIDTH * self._rate)
        centred = smooth - smooth.mean()
        both = correlate(centred, centred, mode="full", method="fft")
        self._products[:count] += both[len(onset) - 1 :][:count]
        self._pairs[:count] += len(onset) - np.arange(count)
