"""A list of movies for one person, and why each is there.

Legend: I movies, k list length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import Bundle
from recsys.engine.explain import because_of
from recsys.engine.filters import Filters
from recsys.engine.movies import facts_of, shortage
from recsys.engine.profile import Profile
from recsys.engine.results import LikedMovie, Recommendations, RecommendedMovie
from recsys.errors import ConfigError


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        k: how many movies.
        exclude_seen: leave out what the person has seen.
        filters: what a movie must be to be recommended.
        because: how many liked movies each explanation names, None for all.

    Raises:
        ConfigError: ``k`` is below 1 or ``because`` below 0.
    """

    k: int = 10
    exclude_seen: bool = True
    filters: Filters = field(default_factory=Filters)
    because: int | None = None

    def __post_init__(self) -> None:
        require_at_least("k", self.k, 1)
        require_at_least("because", self.because or 0, 0)


def require_at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small.

    Raises:
        ConfigError: it is.
    """
    if value < least:
        raise ConfigError(f"{name} is {value}, it must be at least {least}")


def recommendations(bundle: Bundle, person: Profile, request: Request) -> Recommendations:
    """The answer to a request: exactly ``min(k, available)`` movies.

    Raises:
        UnknownIdError: a genre is unknown.
    """
    contents = bundle.contents
    eligible = request.filters.mask(contents.catalogue)
    if request.exclude_seen:
        eligible &= ~person.seen
    available = int(eligible.sum())
    personalised = bool(contents.model.weights(person.query).nnz)
    return Recommendations(
        user=person.user,
        k=request.k,
        exclude_seen=request.exclude_seen,
        model=contents.label,
        items=_ranked(bundle, person, request, eligible),
        available=available,
        personalised=personalised,
        notes=[*shortage(request.k, available), *_impersonal(personalised)],
        liked=_liked(bundle, person) if person.user is None else None,
    )


def _ranked(
    bundle: Bundle, person: Profile, request: Request, eligible: NDArray[np.bool_]
) -> list[RecommendedMovie]:
    k = min(request.k, int(eligible.sum()))
    if k == 0:
        return []
    model, catalogue = bundle.contents.model, bundle.contents.catalogue
    found = bundle.index.search(model.user_vectors(person.query), k, eligible)
    pairs = zip(found.items[0].tolist(), found.scores[0].tolist(), strict=True)
    return [
        RecommendedMovie(
            rank=rank,
            **facts_of(catalogue, row),
            score=score,
            because=because_of(model, catalogue, person.query, row, request.because),
        )
        for rank, (row, score) in enumerate(pairs, start=1)
    ]


def _impersonal(personalised: bool) -> list[str]:
    return [] if personalised else ["no liked movie is known, so this is what most people like"]


def _liked(bundle: Bundle, person: Profile) -> list[LikedMovie]:
    model, catalogue = bundle.contents.model, bundle.contents.catalogue
    rows = model.weights(person.query).indices.tolist()
    return [
        LikedMovie(item=catalogue.items.id(row), title=catalogue.display_title(row)) for row in rows
    ]
