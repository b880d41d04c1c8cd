"""``recsys similar``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from recsys.cli import output, serving
from recsys.cli.options import DEFAULT_BUNDLE, BundleOption, CountOption, FormatOption, argument
from recsys.cli.output import Format

if TYPE_CHECKING:
    from recsys.engine import SimilarMovies

EXAMPLE: Final = 'recsys similar "Toy Story" --k 5'


def similar(
    *,
    movie: Annotated[str, argument("MOVIE", "A title, 'title (year)' or id.")],
    k: CountOption = 10,
    bundle: BundleOption = DEFAULT_BUNDLE,
    format_: FormatOption = Format.TABLE,
) -> None:
    """List the movies most like one.

    Two movies are alike when the same people would be recommended them. Similarity is a cosine,
    from -1 to 1; how popular a movie is does not count.
    """
    answer = serving.open_engine(bundle).similar(movie, k)
    for line in answer.notes:
        output.note(line)
    if format_ is Format.JSON:
        output.print_json(answer.document())
    elif format_ is Format.CSV:
        output.print_csv(
            ["rank", "item", "title", "year", "genres", "similarity"],
            (
                [m.rank, m.item, m.title, m.year, "|".join(m.genres), m.similarity]
                for m in answer.items
            ),
        )
    else:
        _print_table(answer)


def _print_table(answer: SimilarMovies) -> None:
    head = f"{len(answer.items)} movies like {serving.titled(answer.title, answer.year)}"
    table = output.new_table("#", "movie", "genres", "similarity", right=("#", "similarity"))
    for m in answer.items:
        genres = ", ".join(m.genres)
        table.add_row(str(m.rank), serving.titled(m.title, m.year), genres, f"{m.similarity:.3f}")
    output.print_table(table, f"{head} ({answer.model})")
