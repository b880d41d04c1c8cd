"""How TMDB is asked."""

from __future__ import annotations

from dataclasses import dataclass


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
