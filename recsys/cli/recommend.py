"""``recsys recommend``, and the console script ``recommend``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import answers, options, output
from recsys.cli.options import DEFAULT_BUNDLE, option
from recsys.cli.output import Format
from recsys.errors import ConfigError

if TYPE_CHECKING:
    from recsys.engine import Recommendations, RecommendedMovie

EXAMPLE: Final = 'recommend --like "Heat (1995)" --like 318 --year 1990..1999'
_NAMED: Final = 3
_EXPLAINED: Final = 10
_HEADER: Final = ("rank", "item", "title", "year", "genres", "score", "because")


def recommend(
    *,
    user: options.UserOption = None,
    like: options.LikeOption = None,
    k: options.CountOption = 10,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    genre: Annotated[
        list[str] | None,
        option("--genre NAME", "Only movies of this genre; repeated: of any of these genres."),
    ] = None,
    year: Annotated[
        str | None,
        option("--year YEARS", "Only movies of these years: 1995, 1990..1999, 1990.. or ..1999."),
    ] = None,
    include_seen: Annotated[
        bool, option("--include-seen", "Also movies the user has rated already.")
    ] = False,
    because: Annotated[
        int | None,
        option(
            "--because N",
            "How many liked movies each reason names. In JSON the others become one entry, so "
            "that the shares still add up to the score. Default: 3, in JSON all.",
            min=0,
        ),
    ] = None,
    explain: Annotated[
        bool, option("--explain", "Below the table, what every score is the sum of.")
    ] = False,
    format_: options.FormatOption = Format.TABLE,
) -> None:
    """Recommend movies, and say why.

    They are for a user of the training data, or for anybody by what they like. A score has no unit;
    it is the exact sum of what each liked movie contributes and of the movie's own appeal.
    """
    answers.require_one_person(user, like)
    years = parse_years(year)
    engine = answers.open_engine(bundle)
    from recsys.engine import Filters

    named = because
    if named is None and format_ is not Format.JSON:
        named = _EXPLAINED if explain else _NAMED
    answer = engine.recommend(
        answers.person(engine, user, like),
        k,
        exclude_seen=not include_seen,
        filters=Filters(tuple(genre or ()), years),
        because=named,
    )
    rows = ({**m.document(), "because": _reasons(m, "; ")} for m in answer.items)
    table = partial(_print, named=_NAMED if because is None else because, explain=explain)
    answers.show(answer, format_, table, _HEADER, rows)


def parse_years(text: str | None) -> tuple[int, int] | None:
    """First and last year of ``1990..1999``, ``1990..``, ``..1999`` or ``1995``.

    Raises:
        ConfigError: the text is something else.
    """
    if text is None:
        return None
    first, dots, last = (part.strip() for part in text.partition(".."))
    given = [part for part in (first, last) if part]
    if not given or not all(part.isdecimal() and len(part) <= 4 for part in given):
        raise ConfigError(
            f"--year {text!r} is no range of years", hint="write 1995, 1990..1999, 1990.. or ..1999"
        )
    return int(first or 0), int(last or 9999) if dots else int(first)


def _print(answer: Recommendations, named: int, explain: bool) -> None:
    heads = ("#", "movie", "genres", "score", *(["because you liked"] if named else []))
    rows = (
        (
            str(movie.rank),
            answers.titled(movie),
            ", ".join(movie.genres),
            f"{movie.score:.2f}",
            *([_reasons(movie, ", ", named)] if named else []),
        )
        for movie in answer.items
    )
    title = f"{len(answer.items)} movies for {answers.who(answer.user)} ({answer.model})"
    output.print_rows(heads, rows, title, right=("#", "score"))
    for movie in answer.items if explain else ():
        _print_explanation(movie)


def _reasons(movie: RecommendedMovie, separator: str, named: int | None = None) -> str:
    liked = [entry for entry in movie.because if entry.item is not None][:named]
    return separator.join(f"{entry.title} {entry.share:+.2f}" for entry in liked)


def _print_explanation(movie: RecommendedMovie) -> None:
    rows = (
        (f"{entry.share:+.3f}", entry.title.strip("()") if entry.item is None else entry.title)
        for entry in movie.because
    )
    title = f"\n{movie.rank}. {answers.titled(movie)}: why {movie.score:.3f}"
    output.print_rows(("share", "from"), rows, title, right=("share",))
