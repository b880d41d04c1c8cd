"""How TMDB is asked, by which key, and what can go wrong; no text holds the key."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from recsys.errors import ConfigError, DataError, OfflineError


@dataclass(frozen=True)
class TmdbSettings:
    """How to ask.

    Attributes:
        url: of the interface.
        language: of titles and texts.
        append: what comes with a movie, in the same answer.
        rate: requests a second.
        burst: requests at once.
        attempts: how often one request is made, in all.
        first_wait: seconds before the second attempt, at most; doubled for each further one.
        longest_wait: seconds; a server that asks for more is given up.
        timeout: seconds without a byte.
    """

    url: str = "https://api.themoviedb.org/3"
    language: str = "en-US"
    append: tuple[str, ...] = ("credits", "release_dates")
    rate: float = 20.0
    burst: int = 5
    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    timeout: float = 20.0


class TmdbKeyError(ConfigError):
    """There is no key, or TMDB does not accept it. Asking again does not help."""


class TmdbNotFoundError(DataError):
    """TMDB has no such movie."""


class TmdbRefusedError(DataError):
    """TMDB will not answer this request, now or later."""


class TmdbUnavailableError(OfflineError):
    """TMDB gave no usable answer, however often it was asked."""


VARIABLE = "TMDB_API_KEY"
_SHOWN = "[TMDB_API_KEY]"
_KEY = re.compile(r"[!-~]+")


class Secret:
    """A key that does not show itself.

    TMDB gives two: an API key, which goes into the address, and a read access token, a JSON Web
    Token, which goes into a header. Either will do.

    Args:
        value: the key.

    Raises:
        TmdbKeyError: it is empty, or cannot be a key.
    """

    def __init__(self, value: str) -> None:
        self._value = value.strip()
        if not _KEY.fullmatch(self._value):
            raise TmdbKeyError(
                "the key for TMDB is malformed" if self._value else "there is no key for TMDB",
                hint=f"set {VARIABLE} to a key from the settings of your account at TMDB",
            )

    @classmethod
    def from_environment(cls) -> Secret:
        """The key in ``TMDB_API_KEY``.

        Raises:
            TmdbKeyError: there is none.
        """
        return cls(os.environ.get(VARIABLE, ""))

    def __repr__(self) -> str:
        return _SHOWN

    @property
    def _is_token(self) -> bool:
        return self._value.count(".") == 2

    @property
    def parameters(self) -> Mapping[str, str]:
        """What goes into the address."""
        return {} if self._is_token else {"api_key": self._value}

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes into the header."""
        return {"Authorization": f"Bearer {self._value}"} if self._is_token else {}

    def redacted(self, text: str) -> str:
        """The text without the key, plain or as it is written in addresses."""
        for form in {self._value, quote(self._value, safe=""), quote_plus(self._value)}:
            text = text.replace(form, _SHOWN)
        return text

    def redact(self, record: logging.LogRecord) -> bool:
        """Keep every record, without the key: urllib3 logs whole addresses if asked for details."""
        record.msg, record.args = self.redacted(record.getMessage()), None
        return True
