"""Texts that give the labels away."""

from __future__ import annotations

from recsys.data.catalogue import Catalogue

TELLING = 0.5
"""A text that names its movie's genre this often is a label in other words."""


def genre_naming(catalogue: Catalogue, name: str) -> float:
    """Of the movies with a text and genres, the share whose text names one of these genres."""
    labels = [label.casefold().removesuffix("'s") for label in catalogue.genre_names]
    texts = (" ".join(values).casefold() for values in catalogue.facts[name])
    found = [
        any(label in text for label, has in zip(labels, genres, strict=True) if has)
        for text, genres in zip(texts, catalogue.genres.tolist(), strict=True)
        if text and any(genres)
    ]
    return sum(found) / len(found) if found else 0.0
