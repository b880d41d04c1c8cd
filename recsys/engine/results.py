"""What the engine answers: documents whose JSON is a promise to those who script against it.

Numbers are rounded where they are made, so that every door shows the same ones: scores, stars and
probabilities to six digits, shares to eight, so that hundreds of them still add up to a score.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple


def to_six(value: float) -> float:
    """A score, stars or a probability as it is shown."""
    return round(float(value), 6)


@dataclass(frozen=True, slots=True)
class _Answer:
    def document(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {known.name: _plain(getattr(self, known.name)) for known in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, _Answer | Because):
        return value.document()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, dict) else value


class Because(NamedTuple):
    """One addend of a score; a tuple, since lists have many.

    Attributes:
        item: id of the liked movie; None for the movie's own bias and for a merged rest.
        title: the liked movie with its year, or what the addend is.
        share: what it adds to the score, possibly below zero.
    """

    item: str | None
    title: str
    share: float

    def document(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class LikedMovie(_Answer):
    """A movie a profile was made from, with its year in the title."""

    item: str
    title: str


@dataclass(frozen=True, slots=True)
class _Movie(_Answer):
    rank: int
    item: str
    title: str
    year: int | None
    genres: list[str]


@dataclass(frozen=True, slots=True)
class RecommendedMovie(_Movie):
    """One movie of a list.

    Attributes:
        score: inner product of user and movie; it orders the list and has no unit.
        because: addends of the score, liked movies by falling share, then the rest and the bias.
    """

    score: float
    because: list[Because]


@dataclass(frozen=True, slots=True)
class Recommendations(_Answer):
    """A list of movies for one person.

    Attributes:
        schema_version: of this document.
        user: id of a known user, None for a profile made from named movies.
        k: how many were asked for.
        exclude_seen: whether what the person has seen is left out.
        model: name and version.
        items: ``min(k, available)`` movies, best first.
        available: how many movies the filters and ``exclude_seen`` leave.
        personalised: False when nothing is liked, so that all such people get the same list.
        notes: what a reader should know about this answer.
        liked: what the profile was made from; only where ``user`` is None.
    """

    schema_version: int = field(default=1, init=False)
    user: str | None
    k: int
    exclude_seen: bool
    model: str
    items: list[RecommendedMovie]
    available: int
    personalised: bool
    notes: list[str]
    liked: list[LikedMovie] | None = None

    def document(self) -> dict[str, Any]:
        """Plain values, ready for JSON; ``liked`` only where it says something."""
        document = _Answer.document(self)  # super() knows another class once there are slots
        if self.liked is None:
            del document["liked"]
        return document


@dataclass(frozen=True, slots=True)
class SimilarMovie(_Movie):
    """One movie of a list; ``similarity`` is a cosine."""

    similarity: float


@dataclass(frozen=True, slots=True)
class SimilarMovies(_Answer):
    """The movies most like one.

    Attributes:
        schema_version: of this document.
        item: id of the movie that was asked about.
        title: its title.
        year: its year, None where unknown.
        k: how many were asked for.
        model: name and version.
        items: most similar first.
        available: how many other films can be compared with it.
        notes: what a reader should know about this answer.
    """

    schema_version: int = field(default=1, init=False)
    item: str
    title: str
    year: int | None
    k: int
    model: str
    items: list[SimilarMovie]
    available: int
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Prediction(_Answer):
    """The stars a person would give a movie.

    Attributes:
        schema_version: of this document.
        user: id of a known user, None for a profile made from named movies.
        item: id of the movie.
        title: its title.
        year: its year, None where unknown.
        model: name and version.
        mean: expected stars, on the rating scale.
        std: standard deviation of one rating, in stars; None where the model has none.
        interval80: central 80 % of a normal distribution with that mean and std, cut to the scale.
        notes: what a reader should know about this answer.
    """

    schema_version: int = field(default=1, init=False)
    user: str | None
    item: str
    title: str
    year: int | None
    model: str
    mean: float
    std: float | None
    interval80: tuple[float, float] | None
    notes: list[str]


@dataclass(frozen=True, slots=True)
class GenreProbability(_Answer):
    """How likely a genre is, from a movie's content alone."""

    genre: str
    probability: float


@dataclass(frozen=True, slots=True)
class AudienceScore(_Answer):
    """The mean stars a movie's audience gives, predicted from its content alone.

    Attributes:
        mean: on the rating scale.
        std: how sure that is, in stars.
        interval80: central interval that holds the mean with probability 0.8, cut to the scale.
    """

    mean: float
    std: float
    interval80: tuple[float, float]


@dataclass(frozen=True, slots=True)
class MovieDescription(_Answer):
    """One movie as the model sees it.

    Attributes:
        schema_version: of this document.
        item: id of the movie.
        title: its title.
        year: its year, None where unknown.
        genres: those the catalogue states.
        model: name and version.
        ratings: how many training ratings it has.
        predicted_genres: every genre, likeliest first.
        audience: what its audience will think.
        modality_weights: how far each modality counts in its content; they sum to one over those it
            has, and are equal unless the fusion has gates.
        notes: what a reader should know about this answer.
    """

    schema_version: int = field(default=1, init=False)
    item: str
    title: str
    year: int | None
    genres: list[str]
    model: str
    ratings: int
    predicted_genres: list[GenreProbability]
    audience: AudienceScore
    modality_weights: dict[str, float]
    notes: list[str]
