"""The key to TMDB, kept out of every text."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from recsys.data.tmdb.errors import TmdbKeyError

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


class RedactingFilter(logging.Filter):
    """Takes a key out of what is logged: urllib3 logs whole addresses when asked for details."""

    def __init__(self, secret: Secret) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, without the key."""
        record.msg, record.args = self._secret.redacted(record.getMessage()), None
        return True
