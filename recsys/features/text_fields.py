"""The text of each movie, from the fields that a configuration names."""

from __future__ import annotations

from collections.abc import Iterable

from recsys.config.modalities import refuse_labels
from recsys.data.catalogue import Catalogue
from recsys.errors import ConfigError, nearest


def movie_texts(catalogue: Catalogue, fields: Iterable[str]) -> list[str]:
    """One text a movie: its fields, in this order, joined by full stops; "" where all are empty.

    Raises:
        ConfigError: a field names genres, or is neither ``title`` nor a fact of the catalogue.
    """
    names = tuple(fields)
    refuse_labels(names)
    columns = [_column(catalogue, name) for name in names]
    return [". ".join(filter(None, parts)) for parts in zip(*columns, strict=True)]


def _column(catalogue: Catalogue, name: str) -> list[str]:
    if name == "title":
        return [" ".join(title.split()) for title in catalogue.titles]
    if name not in catalogue.facts:
        known = ["title", *catalogue.facts]
        raise ConfigError(
            f"text: the catalogue has no field {name!r}",
            hint=f"the fields to choose from: {'; '.join(nearest(name, known) or known)}",
        )
    return [" ".join(" ".join(values).split()) for values in catalogue.facts[name]]
