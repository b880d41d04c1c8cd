"""``recsys recommend|similar|movie|predict``: the verbs that ask a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from recsys.cli import options, output
from recsys.cli.options import DEFAULT_BUNDLE, argument, option
from recsys.cli.output import Format
from recsys.errors import BundleError, ConfigError

if TYPE_CHECKING:
    from recsys.engine import (
        Engine,
        MovieDescription,
        Prediction,
        Profile,
        Recommendations,
        RecommendedMovie,
        SimilarMovies,
    )

RECOMMEND_EXAMPLE: Final = 'recommend --like "Heat (1995)" --like 318 --year 1990..1999'
_NAMED: Final = 3
_EXPLAINED: Final = 10
_HEADER: Final = ("rank", "item", "title", "year", "genres", "score", "because")
_GENRES_SHOWN: Final = 5

MovieArgument = Annotated[str, argument("MOVIE", "A title, 'title (year)' or id.")]


def recommend(
    *,
    user: options.UserOption = None,
    like: options.LikeOption = None,
    k: options.CountOption = 10,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    genre: Annotated[
        list[str] | None, option("--genre NAME", "Only movies of any such genre; repeatable.")
    ] = None,
    year: Annotated[
        str | None, option("--year YEARS", "Such as 1995, 1990..1999, 1990.. or ..1999.")
    ] = None,
    include_seen: Annotated[
        bool, option("--include-seen", "Also movies the user has rated already.")
    ] = False,
    because: Annotated[
        int | None,
        option("--because N", "Liked movies a reason names. Default: 3, in JSON all.", min=0),
    ] = None,
    explain: Annotated[
        bool, option("--explain", "Below the table, what every score is the sum of.")
    ] = False,
    format_: options.FormatOption = "table",
) -> None:
    """Recommend movies, and say why.

    They are for a user of the training data, or for anybody by what they like. A score has no unit;
    it is the exact sum of what each liked movie contributes and of the movie's own appeal. With
    --because, JSON has the others as one entry, so that the shares still add up to the score.
    """
    require_one_person(user, like)
    years = parse_years(year)
    engine = open_engine(bundle)
    from recsys.engine import Filters

    named = because
    if named is None and format_ != "json":
        named = _EXPLAINED if explain else _NAMED
    answer = engine.recommend(
        person(engine, user, like),
        k,
        exclude_seen=not include_seen,
        filters=Filters(tuple(genre or ()), years),
        because=named,
    )
    rows = ({**m.document(), "because": _reasons(m, "; ")} for m in answer.items)
    table = partial(_print_list, named=_NAMED if because is None else because, explain=explain)
    show(answer, format_, table, _HEADER, rows)


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


def _print_list(answer: Recommendations, named: int, explain: bool) -> None:
    heads = ("#", "movie", "genres", "score", *(["because you liked"] if named else []))
    rows = (
        (
            str(movie.rank),
            titled(movie),
            ", ".join(movie.genres),
            f"{movie.score:.2f}",
            *([_reasons(movie, ", ", named)] if named else []),
        )
        for movie in answer.items
    )
    title = f"{len(answer.items)} movies for {who(answer.user)} ({answer.model})"
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
    title = f"\n{movie.rank}. {titled(movie)}: why {movie.score:.3f}"
    output.print_rows(("share", "from"), rows, title, right=("share",))


def similar(
    *,
    movie: MovieArgument,
    k: options.CountOption = 10,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    format_: options.FormatOption = "table",
) -> None:
    """List the movies most like one.

    Two movies are alike when the same people would be recommended them. Similarity is a cosine,
    from -1 to 1; how popular a movie is does not count.
    """
    answer = open_engine(bundle).similar(movie, k)
    header = ("rank", "item", "title", "year", "genres", "similarity")
    rows = (m.document() for m in answer.items)
    show(answer, format_, _print_similar, header, rows)


def _print_similar(answer: SimilarMovies) -> None:
    rows = (
        (str(m.rank), titled(m), ", ".join(m.genres), f"{m.similarity:.3f}") for m in answer.items
    )
    title = f"{len(answer.items)} movies like {titled(answer)} ({answer.model})"
    heads = ("#", "movie", "genres", "similarity")
    output.print_rows(heads, rows, title, right=("#", "similarity"))


def predict(
    *,
    movie: MovieArgument,
    user: options.UserOption = None,
    like: options.LikeOption = None,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    format_: options.FormatOption = "table",
) -> None:
    """Predict the stars somebody would give a movie.

    Somebody is a user of the training data, or anybody by what they like. The answer is an
    expectation, its standard deviation, and the interval that holds the rating with probability
    0.8.
    """
    require_one_person(user, like)
    engine = open_engine(bundle)
    answer = engine.predict(person(engine, user, like), movie)
    low, high = answer.interval80 or (None, None)
    header = ("user", "item", "title", "year", "mean", "std", "low80", "high80")
    row = {**answer.document(), "low80": low, "high80": high}
    show(answer, format_, _print_prediction, header, [row])


def _print_prediction(answer: Prediction) -> None:
    heads = ("stars", "std", "80 % interval")
    std = "–" if answer.std is None else f"{answer.std:.2f}"
    interval = "{:.2f} … {:.2f}".format(*answer.interval80) if answer.interval80 else "–"
    row = (titled(answer), f"{answer.mean:.2f}", std, interval)
    title = f"stars {who(answer.user)} would give ({answer.model})"
    output.print_rows(("movie", *heads), [row], title, right=heads)


def movie(
    *,
    movie: MovieArgument,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    format_: options.DocumentFormatOption = "table",
) -> None:
    """Show one movie as the model sees it.

    Its genres and its audience score, both read from its content alone, and how far each modality
    counts in that content.
    """
    show(open_engine(bundle).describe(movie), format_, _print_movie)


def _print_movie(answer: MovieDescription) -> None:
    low, high = answer.audience.interval80
    shown = answer.predicted_genres[:_GENRES_SHOWN]
    weights = answer.modality_weights.items()
    facts = {
        "genres stated": ", ".join(answer.genres) or "none",
        "genres by content": ", ".join(f"{g.genre} {g.probability:.2f}" for g in shown) or "none",
        "audience by content": f"{answer.audience.mean:.2f} stars ({low:.2f} … {high:.2f})",
        "modalities": ", ".join(f"{name} {weight:.2f}" for name, weight in weights) or "none",
        "ratings in training": str(answer.ratings),
    }
    output.print_pairs(("what", "value"), facts, f"{titled(answer)} ({answer.model})")


def show(
    answer: Any,
    format_: Format,
    as_tables: Callable[[Any], None],
    header: Sequence[str] = (),
    rows: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Say the notes of an answer and print it: as JSON, rows under a header, or tables."""
    for line in answer.notes:
        output.note(line)
    if format_ == "json":
        output.print_json(answer.document())
    elif format_ == "csv":
        output.print_csv(header, rows)
    else:
        as_tables(answer)


def open_engine(path: Path) -> Engine:
    """The engine of a bundle; where there is none, the error says how to make one.

    Raises:
        BundleError: there is no bundle, or it cannot be trusted.
    """
    if not path.exists():
        hint = f"recsys train --out {path}, or name another with --bundle DIR or in RECSYS_BUNDLE"
        raise BundleError(f"there is no bundle at {path}", hint=hint)
    from recsys.engine import Engine

    return Engine.load(path)


def require_one_person(user: str | None, like: list[str] | None) -> None:
    """Refuse both a user and liked movies, and neither.

    Raises:
        ConfigError: it is so.
    """
    if user is None and not like:
        raise ConfigError("nobody is named", hint="give --user ID, or --like MOVIE (repeatable)")
    if user is not None and like:
        raise ConfigError("--user and --like exclude each other")


def person(engine: Engine, user: str | None, like: list[str] | None) -> Profile:
    """The known user, or somebody who likes these movies; the latter are said on standard error.

    Raises:
        UnknownIdError: the user or a movie is unknown; the error names the nearest.
    """
    if user is not None:
        return engine.user(user)
    profile = engine.profile(like or [])
    titles = (engine.catalogue.display_title(int(row)) for row in profile.rated)
    output.note(f"for somebody who likes {', '.join(titles)}")
    return profile


def who(user: str | None) -> str:
    """A person in a heading."""
    return f"user {user}" if user is not None else "you"


def titled(movie: Any) -> str:
    """A movie, or an answer about one, in a table."""
    return str(movie.title) if movie.year is None else f"{movie.title} ({movie.year})"
