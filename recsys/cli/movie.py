"""``recsys movie``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import output, serving
from recsys.cli.options import DEFAULT_BUNDLE, BundleOption, DocumentFormatOption, argument
from recsys.cli.output import DocumentFormat

if TYPE_CHECKING:
    from recsys.engine import MovieDescription

EXAMPLE: Final = 'recsys movie "Heat (1995)"'

_GENRES_SHOWN = 5


def movie(
    *,
    name: Annotated[str, argument("MOVIE", "A title, 'title (year)' or id.")],
    bundle: BundleOption = DEFAULT_BUNDLE,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Show one movie as the model sees it.

    Its genres and its audience score, both read from its content alone, and how far each modality
    counts in that content.
    """
    answer = serving.open_engine(bundle).describe(name)
    for line in answer.notes:
        output.note(line)
    if format_ is DocumentFormat.JSON:
        output.print_json(answer.document())
    else:
        _print_table(answer)


def _print_table(answer: MovieDescription) -> None:
    low, high = answer.audience.interval80
    table = output.new_table("what", "value")
    table.add_row("genres stated", ", ".join(answer.genres) or "none")
    shown = answer.predicted_genres[:_GENRES_SHOWN]
    likely = ", ".join(f"{found.genre} {found.probability:.2f}" for found in shown)
    table.add_row("genres by content", likely or "none")
    table.add_row(
        "audience by content", f"{answer.audience.mean:.2f} stars ({low:.2f} … {high:.2f})"
    )
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in answer.modality_weights.items())
    table.add_row("modalities", weights or "none")
    table.add_row("ratings in training", str(answer.ratings))
    output.print_table(table, f"{serving.titled(answer.title, answer.year)} ({answer.model})")
