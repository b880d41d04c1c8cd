"""``recsys recommend``, and the console script ``recommend``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import answers, output
from recsys.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
    CountOption,
    FormatOption,
    LikeOption,
    UserOption,
    option,
)
from recsys.cli.output import Format
from recsys.errors import ConfigError

if TYPE_CHECKING:
    from recsys.engine import Recommendations, RecommendedMovie

EXAMPLE: Final = 'recsys recommend --like "Heat (1995)" --like 318 --year 1990..1999'
ARGUMENTS: Final = EXAMPLE.removeprefix("recsys ")
_NAMED: Final = 3
_EXPLAINED: Final = 10
_YEARS: Final = (0, 9999)

GenreOption = Annotated[
    list[str] | None,
    option("--genre NAME", "Only movies of this genre; repeated: of any of these genres."),
]
YearOption = Annotated[
    str | None,
    option("--year YEARS", "Only movies of these years: 1995, 1990..1999, 1990.. or ..1999."),
]
IncludeSeenOption = Annotated[
    bool, option("--include-seen", "Also movies the user has rated already.")
]
BecauseOption = Annotated[
    int | None,
    option(
        "--because N",
        "How many liked movies each reason names. In JSON the others become one entry, so "
        "that the shares still add up to the score. Default: 3, in JSON all.",
        min=0,
    ),
]
ExplainOption = Annotated[
    bool, option("--explain", "Below the table, what every score is the sum of.")
]


def recommend(
    *,
    user: UserOption = None,
    like: LikeOption = None,
    k: CountOption = 10,
    bundle: BundleOption = DEFAULT_BUNDLE,
    genre: GenreOption = None,
    year: YearOption = None,
    include_seen: IncludeSeenOption = False,
    because: BecauseOption = None,
    explain: ExplainOption = False,
    format_: FormatOption = Format.TABLE,
) -> None:
    """Recommend movies, and say why.

    They are for a user of the training data, or for anybody by what they like. A score has no unit;
    it is the exact sum of what each liked movie contributes and of the movie's own appeal.
    """
    answers.require_one_person(user, like)
    years = parse_years(year)
    engine = answers.open_engine(bundle)
    from recsys.engine import Filters

    answer = engine.recommend(
        answers.person(engine, user, like),
        k,
        exclude_seen=not include_seen,
        filters=Filters(tuple(genre or ()), years),
        because=_because(because, explain, format_),
    )
    header = ["rank", "item", "title", "year", "genres", "score", "because"]
    rows = (
        [m.rank, m.item, m.title, m.year, "|".join(m.genres), m.score, _reasons(m, "; ")]
        for m in answer.items
    )
    if answers.is_shown(answer, format_, header, rows):
        return
    _print_table(answer, _NAMED if because is None else because)
    for movie in answer.items if explain else ():
        _print_explanation(movie)


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
    if not dots:
        return int(first), int(first)
    return int(first or _YEARS[0]), int(last or _YEARS[1])


def _because(given: int | None, explain: bool, format_: Format) -> int | None:
    if given is not None or format_ is Format.JSON:
        return given
    return _EXPLAINED if explain else _NAMED


def _print_table(answer: Recommendations, named: int) -> None:
    head = f"{len(answer.items)} movies for {answers.who(answer.user)} ({answer.model})"
    columns = ("#", "movie", "genres", "score", *(["because you liked"] if named else []))
    table = output.new_table(*columns, right=("#", "score"))
    for movie in answer.items:
        cells = [
            str(movie.rank),
            answers.titled(movie.title, movie.year),
            ", ".join(movie.genres),
            f"{movie.score:.2f}",
            _reasons(movie, ", ", named),
        ]
        table.add_row(*cells[: len(columns)])
    output.print_table(table, head)


def _reasons(movie: RecommendedMovie, separator: str, named: int | None = None) -> str:
    liked = [entry for entry in movie.because if entry.item is not None][:named]
    return separator.join(f"{entry.title} {entry.share:+.2f}" for entry in liked)


def _print_explanation(movie: RecommendedMovie) -> None:
    head = f"\n{movie.rank}. {answers.titled(movie.title, movie.year)}: why {movie.score:.3f}"
    table = output.new_table("share", "from", right=("share",))
    for entry in movie.because:
        source = entry.title.strip("()") if entry.item is None else entry.title
        table.add_row(f"{entry.share:+.3f}", source)
    output.print_table(table, head)
