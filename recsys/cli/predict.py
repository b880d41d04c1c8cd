"""``recsys predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import output, serving
from recsys.cli.options import (
    DEFAULT_BUNDLE,
    BundleOption,
    FormatOption,
    LikeOption,
    UserOption,
    argument,
)
from recsys.cli.output import Format

if TYPE_CHECKING:
    from recsys.engine import Prediction

EXAMPLE: Final = 'recsys predict --user 42 "Heat (1995)"'


def predict(
    *,
    movie: Annotated[str, argument("MOVIE", "A title, 'title (year)' or id.")],
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
    serving.require_one_person(user, like)
    engine = serving.open_engine(bundle)
    answer = engine.predict(serving.person(engine, user, like), movie)
    for line in answer.notes:
        output.note(line)
    if format_ is Format.JSON:
        output.print_json(answer.document())
    elif format_ is Format.CSV:
        _print_csv(answer)
    else:
        _print_table(answer)


def _print_csv(answer: Prediction) -> None:
    low, high = answer.interval80 or (None, None)
    output.print_csv(
        ["user", "item", "title", "year", "mean", "std", "low80", "high80"],
        [
            [
                answer.user,
                answer.item,
                answer.title,
                answer.year,
                answer.mean,
                answer.std,
                low,
                high,
            ]
        ],
    )


def _print_table(answer: Prediction) -> None:
    head = f"stars {serving.who(answer.user)} would give ({answer.model})"
    columns = ("stars", "std", "80 % interval")
    table = output.new_table("movie", *columns, right=columns)
    cells = [serving.titled(answer.title, answer.year), f"{answer.mean:.2f}", "–", "–"]
    if answer.std is not None and answer.interval80 is not None:
        low, high = answer.interval80
        cells[2:] = [f"{answer.std:.2f}", f"{low:.2f} … {high:.2f}"]
    table.add_row(*cells)
    output.print_table(table, head)
