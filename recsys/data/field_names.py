"""Which facts must not be shown to a model, by their names."""

from __future__ import annotations

import re

_LABELS = frozenset({"keyword", "keywords", "tag", "tags"})
_ORACLES = frozenset(
    {"vote", "votes", "popularity", "revenue", "gross", "award", "awards", "metascore"}
)
_JUDGEMENTS = frozenset({"rating", "ratings", "score", "scores"})
_ABOUT_AGE = frozenset({"age", "content", "mpaa"})


def names_labels(name: str) -> bool:
    """Whether a field names genres, which are what a model learns to predict."""
    return "genre" in name.casefold() or bool(_words(name) & _LABELS)


def is_oracle(name: str) -> bool:
    """Whether a field tells how a movie was received, as only later years could know.

    An age rating is not: it is given before the release.
    """
    words = _words(name)
    return bool(words & _ORACLES) or (bool(words & _JUDGEMENTS) and not words & _ABOUT_AGE)


def _words(name: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
