"""How fast to ask, and how long to wait before asking again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Clock:
    """Time and chance, so that tests need neither.

    Attributes:
        now: seconds since the epoch.
        sleep: waits for some seconds.
        chance: a number from 0 up to 1.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: random.Random().random)


class TokenBucket:
    """At most ``burst`` requests at once, and ``rate`` a second in the long run.

    Args:
        rate: tokens a second.
        burst: how many tokens the bucket holds; it is full at first.
        clock: where time comes from.
    """

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._tokens, self._at = float(burst), clock.now()

    def take(self) -> None:
        """Wait for a token."""
        self._refill()
        if self._tokens < 1:
            self._clock.sleep((1 - self._tokens) / self._rate)
            self._refill()
        self._tokens = max(self._tokens - 1, 0)

    def _refill(self) -> None:
        now = self._clock.now()
        passed = max(now - self._at, 0)  # a clock may be set back
        self._tokens = min(self._tokens + passed * self._rate, self._burst)
        self._at = now


def backoff(attempt: int, first: float, longest: float, chance: float) -> float:
    """Seconds before another attempt: doubling, with jitter so that clients do not march in step.

    Args:
        attempt: failures so far, from 1.
        first: seconds after the first failure, at most.
        longest: the most it can be.
        chance: a number from 0 up to 1; the wait is at least half of what it can be.
    """
    most = min(first * 2.0 ** (attempt - 1), longest)
    return most * (0.5 + 0.5 * chance)


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, in either of its forms (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max((at - datetime.fromtimestamp(now, UTC)).total_seconds(), 0.0)
