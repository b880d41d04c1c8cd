"""One movie as the model sees it: its content read as genres, as an audience score, as weights."""

from __future__ import annotations

import numpy as np

from recsys.bundle import BundleContents
from recsys.engine.intervals import interval80
from recsys.engine.movies import facts_of
from recsys.engine.results import AudienceScore, GenreProbability, MovieDescription


def describe(contents: BundleContents, row: int) -> MovieDescription:
    """What the model makes of one movie.

    Args:
        contents: of a bundle.
        row: of the movie.
    """
    catalogue, model = contents.catalogue, contents.model
    ratings = int(contents.histories.item_counts()[row])
    weights = model.movies.modality_weights[row]
    return MovieDescription(
        **facts_of(catalogue, row),
        model=contents.label,
        ratings=ratings,
        predicted_genres=_genres(contents, row),
        audience=_audience(contents, row),
        modality_weights={
            name: float(weight)
            for name, weight in zip(contents.tower.modalities, weights, strict=True)
        },
        notes=_notes(ratings, bool(weights.any())),
    )


def _genres(contents: BundleContents, row: int) -> list[GenreProbability]:
    probability = contents.model.genre_probabilities()[row]
    names = contents.catalogue.genre_names
    return [
        GenreProbability(genre=names[column], probability=float(probability[column]))
        for column in np.argsort(-probability, kind="stable")
    ]


def _audience(contents: BundleContents, row: int) -> AudienceScore:
    found, scale = contents.model.audience(), contents.model.rating.scale
    mean, std = float(found.mean[row]), float(found.std[row])
    return AudienceScore(mean=mean, std=std, interval80=interval80(mean, std, scale))


def _notes(ratings: int, has_content: bool) -> list[str]:
    notes = [] if ratings else ["nobody rated this movie in training: its content alone places it"]
    if not has_content:
        notes.append("the movie has none of the modalities that the model reads")
    return notes
