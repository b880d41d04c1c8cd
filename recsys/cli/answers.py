"""``recsys similar|movie|predict``, and what verbs that ask a bundle have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from recsys.cli import output
from recsys.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
    CountOption,
    DocumentFormatOption,
    FormatOption,
    LikeOption,
    UserOption,
    argument,
)
from recsys.cli.output import DocumentFormat, Format
from recsys.errors import BundleError, ConfigError

if TYPE_CHECKING:
    from recsys.engine import (
        Engine,
        MovieDescription,
        Prediction,
        Profile,
        Recommendations,
        SimilarMovies,
    )

_GENRES_SHOWN = 5

MovieArgument = Annotated[str, argument("MOVIE", "A title, 'title (year)' or id.")]


def similar(
    *,
    movie: MovieArgument,
    k: CountOption = 10,
    bundle: BundleOption = DEFAULT_BUNDLE,
    format_: FormatOption = Format.TABLE,
) -> None:
    """List the movies most like one.

    Two movies are alike when the same people would be recommended them. Similarity is a cosine,
    from -1 to 1; how popular a movie is does not count.
    """
    answer = open_engine(bundle).similar(movie, k)
    header = ["rank", "item", "title", "year", "genres", "similarity"]
    rows = (
        [m.rank, m.item, m.title, m.year, "|".join(m.genres), m.similarity] for m in answer.items
    )
    if is_shown(answer, format_, header, rows):
        return
    table = output.new_table("#", "movie", "genres", "similarity", right=("#", "similarity"))
    for m in answer.items:
        cells = (str(m.rank), titled(m.title, m.year), ", ".join(m.genres), f"{m.similarity:.3f}")
        table.add_row(*cells)
    liked = titled(answer.title, answer.year)
    output.print_table(table, f"{len(answer.items)} movies like {liked} ({answer.model})")


def predict(
    *,
    movie: MovieArgument,
    user: UserOption = None,
    like: LikeOption = None,
    bundle: BundleOption = DEFAULT_BUNDLE,
    format_: FormatOption = Format.TABLE,
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
    header = ["user", "item", "title", "year", "mean", "std", "low80", "high80"]
    about = [answer.user, answer.item, answer.title, answer.year]
    if is_shown(answer, format_, header, [[*about, answer.mean, answer.std, low, high]]):
        return
    columns = ("stars", "std", "80 % interval")
    table = output.new_table("movie", *columns, right=columns)
    known = answer.std is not None and low is not None
    spread = (f"{answer.std:.2f}", f"{low:.2f} … {high:.2f}") if known else ("–", "–")
    table.add_row(titled(answer.title, answer.year), f"{answer.mean:.2f}", *spread)
    output.print_table(table, f"stars {who(answer.user)} would give ({answer.model})")


def movie(
    *,
    movie: MovieArgument,
    bundle: BundleOption = DEFAULT_BUNDLE,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Show one movie as the model sees it.

    Its genres and its audience score, both read from its content alone, and how far each modality
    counts in that content.
    """
    answer = open_engine(bundle).describe(movie)
    if is_shown(answer, format_):
        return
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
    title = f"{titled(answer.title, answer.year)} ({answer.model})"
    output.print_pairs(("what", "value"), facts, title)


def is_shown(
    answer: Recommendations | SimilarMovies | Prediction | MovieDescription,
    format_: Format | DocumentFormat,
    header: Sequence[str] = (),
    rows: Iterable[Sequence[object]] = (),
) -> bool:
    """Say the notes of an answer; print it as JSON or CSV, unless a table is asked for."""
    for line in answer.notes:
        output.note(line)
    if format_ == Format.JSON:
        output.print_json(answer.document())
    elif format_ == Format.CSV:
        output.print_csv(header, rows)
    return format_ != Format.TABLE


def require_bundle(path: Path) -> None:
    """Refuse a bundle that is not there, and say how to make one.

    Raises:
        BundleError: there is nothing at ``path``.
    """
    if not path.exists():
        raise BundleError(
            f"there is no bundle at {path}",
            hint=f"train one with: recsys train --out {path}, or name the folder of another with "
            "--bundle DIR or in RECSYS_BUNDLE",
        )


def open_engine(path: Path) -> Engine:
    """The engine of a bundle.

    Raises:
        BundleError: there is no bundle, or it cannot be trusted.
    """
    require_bundle(path)
    from recsys.engine import Engine

    return Engine.load(path)


def require_one_person(user: str | None, like: list[str] | None) -> None:
    """Refuse both a user and liked movies, and neither.

    Raises:
        ConfigError: it is so.
    """
    if (user is None) == (not like):
        neither = "neither a user nor a liked movie is given"
        raise ConfigError(
            neither if user is None else "--user and --like exclude each other",
            hint="give a user of the training data with --user ID, or what somebody likes with "
            "--like MOVIE (repeatable)",
        )


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


def titled(title: str, year: int | None) -> str:
    """A movie in a table."""
    return title if year is None else f"{title} ({year})"
