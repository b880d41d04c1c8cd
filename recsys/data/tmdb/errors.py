"""What can go wrong between here and TMDB. No message holds the key."""

from __future__ import annotations

from recsys.errors import ConfigError, DataError, OfflineError


class TmdbKeyError(ConfigError):
    """There is no key, or TMDB does not accept it. Asking again does not help."""


class TmdbNotFoundError(DataError):
    """TMDB has no such movie."""


class TmdbRefusedError(DataError):
    """TMDB will not answer this request, now or later."""


class TmdbUnavailableError(OfflineError):
    """TMDB gave no usable answer, however often it was asked."""
