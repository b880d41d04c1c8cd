"""Asking TMDB: slowly enough, again where that helps, and never with half an answer.

The interface: developer.themoviedb.org. It names a limit of about 40 requests a second, and may
change it at any time.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import requests

from recsys.data.files import is_offline
from recsys.data.tmdb.settings import (
    VARIABLE,
    Secret,
    TmdbKeyError,
    TmdbNotFoundError,
    TmdbRefusedError,
    TmdbSettings,
    TmdbUnavailableError,
)
from recsys.errors import DataError, OfflineError, RecsysError


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


_TMDB_ID = re.compile(r"[1-9]\d*", re.ASCII)
# Request timeout, too many requests.
_PASSING = {408, 429}
_LOGGER = logging.getLogger("urllib3.connectionpool")

Answer = Mapping[str, Any]


class TmdbClient:
    """A connection to TMDB; close it, or use it in a ``with`` statement.

    Args:
        secret: the key.
        settings: how to ask.
        clock: where time comes from.
    """

    def __init__(
        self, secret: Secret, settings: TmdbSettings | None = None, clock: Clock | None = None
    ) -> None:
        self.settings = settings or TmdbSettings()
        self._secret = secret
        self._clock = clock or Clock()
        self._bucket = TokenBucket(self.settings.rate, self.settings.burst, self._clock)
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **secret.headers})
        _LOGGER.addFilter(secret.redact)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
        _LOGGER.removeFilter(self._secret.redact)

    def movie(self, tmdb_id: str) -> Answer:
        """One movie, with what the settings append to it.

        Raises:
            TmdbNotFoundError: there is none of that id.
            TmdbKeyError: the key is refused.
            TmdbRefusedError: the request is.
            TmdbUnavailableError: no attempt got a usable answer.
            OfflineError: ``RECSYS_OFFLINE`` is set.
            DataError: that is no id.
        """
        path = f"movie/{tmdb_id}"
        if not _TMDB_ID.fullmatch(tmdb_id):
            raise DataError(f"{tmdb_id!r} is no TMDB id", hint="one looks like 862")
        if is_offline():
            raise OfflineError(
                f"RECSYS_OFFLINE is set, and {path} is needed from TMDB",
                hint="unset it to ask TMDB, or use what was fetched before",
            )
        for attempt in range(1, self.settings.attempts + 1):
            self._bucket.take()
            answer = self._attempt(path, {"id": int(tmdb_id)})
            if not isinstance(answer, _Failure):
                return answer
            reason, wait = answer.reason, answer.retry_after
            if wait is None:
                bounds = self.settings.first_wait, self.settings.longest_wait
                wait = backoff(attempt, *bounds, self._clock.chance())
            if wait > self.settings.longest_wait or attempt == self.settings.attempts:
                break
            self._clock.sleep(wait)
        raise TmdbUnavailableError(
            f"TMDB gave no usable answer for {path} in {attempt} attempts: {reason}",
            hint="try again later: what was fetched is kept, and only the rest is asked for",
        )

    def _attempt(self, path: str, expected: Mapping[str, Any]) -> Answer | _Failure:
        asked = {
            "language": self.settings.language,
            "append_to_response": ",".join(self.settings.append),
        }
        # Errors of requests hold the address, and so the key: they are not chained to ours.
        try:
            response = self._session.get(
                f"{self.settings.url}/{path}",
                params={**asked, **self._secret.parameters},
                timeout=self.settings.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return _Failure(self._secret.redacted(f"{type(error).__name__}: {error}"))
        if response.status_code == requests.codes.ok:
            return _usable(response, expected)
        if response.status_code in _PASSING or response.status_code >= 500:
            wait = retry_after(response.headers.get("Retry-After"), self._clock.now())
            more = "" if wait is None else f", asking to wait {wait:g} s"
            return _Failure(f"status {response.status_code}{more}", wait)
        raise self._refusal(path, response)

    def _refusal(self, path: str, response: requests.Response) -> RecsysError:
        message = _usable(response, {})
        said = message.get("status_message") if isinstance(message, Mapping) else None
        text = self._secret.redacted(f"status {response.status_code}, {said or response.reason}")
        if response.status_code == requests.codes.not_found:
            return TmdbNotFoundError(f"TMDB has no {path}: {text}")
        if response.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
            return TmdbKeyError(
                f"TMDB does not accept the key: {text}",
                hint=f"check {VARIABLE} against the settings of your account at TMDB",
            )
        return TmdbRefusedError(f"TMDB refuses {path}: {text}")


@dataclass(frozen=True)
class _Failure:
    """Why an attempt failed that may be repeated, and the seconds the server asks for."""

    reason: str
    retry_after: float | None = None


def _usable(response: requests.Response, expected: Mapping[str, Any]) -> Answer | _Failure:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return _Failure(f"an answer of {len(response.content)} bytes that is not JSON")
    if not isinstance(answer, dict):
        return _Failure("an answer that is not an object")
    for name, value in expected.items():
        if answer.get(name) != value:
            return _Failure(f"an answer whose {name} is {answer.get(name)!r}, not {value!r}")
    return answer
