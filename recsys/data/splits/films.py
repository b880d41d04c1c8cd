"""Splits of movies rather than ratings; the catalogue's twins of one film never part.

Legend: I items.
"""

from __future__ import annotations

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.data.split import LabelSplit
from recsys.data.splits.parts import TEST, TRAIN, VALID, Parts, Request, deal
from recsys.seeding import stream


def cold_movies(request: Request) -> Parts:
    """``test_percent`` of the rated films, then ``valid_percent`` of the rest, turn cold.

    All ratings of a cold film leave train. The validation films are cold as well, and other than
    the test films: what is chosen for movies nobody has rated must be chosen on such movies, and
    not on the test.
    """
    groups = request.catalogue.film_groups
    films = np.unique(groups[request.interactions.item])
    test = request.share(len(films), "test_percent")
    valid = request.share(len(films) - test, "valid_percent")
    of_film = request.deal(len(films), valid=valid, test=test)
    return of_film[np.searchsorted(films, groups[request.interactions.item])]


def genre_partition(catalogue: Catalogue, seed: int) -> LabelSplit:
    """Movies with a genre for the genre task: 80 : 10 : 10 of the films, rounded down for the last.

    Movies without any genre are in no part: theirs are unknown, not empty.
    """
    labelled = catalogue.genres.any(axis=1)
    films = np.unique(catalogue.film_groups[labelled])
    tenth = len(films) // 10
    of_film = deal(len(films), valid=tenth, test=tenth, rng=stream(seed, "split/genres"))
    part = np.full(len(catalogue), -1, dtype=np.int8)
    part[labelled] = of_film[np.searchsorted(films, catalogue.film_groups[labelled])]
    return LabelSplit(part == TRAIN, part == VALID, part == TEST)
