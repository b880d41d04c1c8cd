"""``recsys similar|movie|predict``, and what verbs that ask a bundle have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from recsys.cli import options, output
from recsys.cli.options import DEFAULT_BUNDLE
from recsys.cli.output import DocumentFormat, Format
from recsys.errors import BundleError, ConfigError

if TYPE_CHECKING:
    from recsys.engine import Engine, MovieDescription, Prediction, Profile, SimilarMovies

_GENRES_SHOWN = 5

MovieArgument = Annotated[str, options.argument("MOVIE", "A title, 'title (year)' or id.")]


def similar(
    *,
    movie: MovieArgument,
    k: options.CountOption = 10,
    bundle: options.BundleOption = DEFAULT_BUNDLE,
    format_: options.FormatOption = Format.TABLE,
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
    format_: options.FormatOption = Format.TABLE,
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
    format_: options.DocumentFormatOption = DocumentFormat.TABLE,
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
    format_: Format | DocumentFormat,
    as_tables: Callable[[Any], None],
    header: Sequence[str] = (),
    rows: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Say the notes of an answer and print it: as JSON, rows under a header, or tables."""
    for line in answer.notes:
        output.note(line)
    if format_ == Format.JSON:
        output.print_json(answer.document())
    elif format_ == Format.CSV:
        output.print_csv(header, rows)
    else:
        as_tables(answer)


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


def titled(movie: Any) -> str:
    """A movie, or an answer about one, in a table."""
    return str(movie.title) if movie.year is None else f"{movie.title} ({movie.year})"
