"""One family of errors: each names what is wrong, where, and what to do next.

The command line turns every one of them into a one-paragraph message and its ``exit_code``;
anything outside the family is a bug and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar


class RecsysError(Exception):
    """Base of the family.

    Args:
        what: what is wrong, with the offending value.
        hint: what the reader can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(f"{what}\n  → {hint}" if hint else what)


class ConfigError(RecsysError):
    """A configuration, or a combination of options, that cannot be used."""

    exit_code = 2


class DataError(RecsysError):
    """Input data that cannot be used as it is.

    Args:
        what: what is wrong, naming the file or the argument.
        rows: descriptions of the offending rows; the first five are shown.
        count: how many rows are affected; the number of ``rows`` unless told.
        hint: what the reader can do about it.
    """

    exit_code = 3

    def __init__(
        self, what: str, *, rows: Sequence[str] = (), count: int | None = None, hint: str = ""
    ) -> None:
        self.rows = tuple(rows)
        self.count = len(self.rows) if count is None else count
        shown = "".join(f"\n    {row}" for row in self.rows[:5])
        more = f"\n    … and {self.count - 5} more" if self.rows and self.count > 5 else ""
        super().__init__(what + shown + more, hint=hint)


class AlignmentError(DataError):
    """Rows of one table would be read as rows of another vocabulary."""


class UnknownIdError(DataError):
    """An id or a title that is not in the catalogue; carries the nearest ones that are."""

    def __init__(self, kind: str, value: str, nearest: Sequence[str] = ()) -> None:
        self.kind, self.value, self.nearest = kind, value, tuple(nearest)
        hint = f"did you mean: {'; '.join(nearest)}?" if nearest else f"no {kind} is close to it"
        super().__init__(f"unknown {kind} {value!r}", hint=hint)


class AmbiguousNameError(UnknownIdError):
    """A name that more than one movie has; carries those movies."""

    def __init__(self, kind: str, value: str, nearest: Sequence[str]) -> None:
        super().__init__(kind, value, nearest)
        more = f"; and {len(nearest) - 5} more" if len(nearest) > 5 else ""
        RecsysError.__init__(
            self,
            f"{value!r} is the name of more than one {kind}",
            hint=f"say which by its id, or with its year: {'; '.join(nearest[:5])}{more}",
        )


class NotFittedError(RecsysError):
    """A model was asked for scores before it was fitted."""


class UnsupportedError(RecsysError):
    """A question that a model has no answer to, such as stars asked of one that only ranks."""

    exit_code = 2


class BundleError(RecsysError):
    """A bundle that is incomplete, altered, or of another schema version."""

    exit_code = 4


class OfflineError(RecsysError):
    """The network is needed, and is out of reach or switched off by ``RECSYS_OFFLINE=1``."""

    exit_code = 5


class MissingExtra(ConfigError):  # noqa: N818 - reads as the condition it names
    """An optional dependency is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"{library} is not installed", hint=f"install it with: pip install 'recsys[{extra}]'"
        )


def nearest(word: object, known: Iterable[Any], n: int = 3) -> list[str]:
    """The ``n`` known words closest to ``word``, best first, ignoring case."""
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(str(candidate).casefold(), str(candidate))
    matches = difflib.get_close_matches(str(word).casefold(), list(by_folded), n=n, cutoff=0.5)
    return [by_folded[match] for match in matches]


def did_you_mean(word: object, known: Iterable[Any], otherwise: str = "") -> str:
    """A hint with the known words closest to a wrong one, or else ``otherwise``."""
    close = " or ".join(nearest(word, known))
    return f"did you mean {close}?" if close else otherwise
