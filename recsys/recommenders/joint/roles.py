"""The roles a movie plays: what each task reads of it, and whether its id may add to that.

Legend: I movies, D ranking, R rating and A attention dimensions, G genres.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from recsys.config.experiment import ModelConfig, UserConfig

Task = Literal["ranking", "rating", "genre", "audience"]

TASKS: tuple[Task, ...] = ("ranking", "rating", "genre", "audience")


class Role(NamedTuple):
    """A linear reading of a task's representation of a movie.

    Attributes:
        name: of the array it becomes, see ``embedding_model.MovieVectors``.
        task: whose representation is read.
        dim: numbers a movie.
        offset: whether the movie's id adds to the reading. Without it the reading is a function of
            content alone, so that nothing is learnt by heart, and has a bias of its own.
    """

    name: str
    task: Task
    dim: int
    offset: bool


def roles(model: ModelConfig, user: UserConfig, n_genres: int) -> tuple[Role, ...]:
    """Every role of a movie, in the order their weights are drawn."""
    return (
        Role("liked", "ranking", model.ranking_dim, offset=True),
        Role("ranked", "ranking", model.ranking_dim, offset=True),
        Role("rank_bias", "ranking", 1, offset=True),
        Role("attention", "ranking", user.attention_dim, offset=True),
        Role("rating_in", "rating", model.rating_dim, offset=True),
        Role("rating_out", "rating", model.rating_dim, offset=True),
        Role("rating_mean", "rating", 1, offset=True),
        Role("log_variance", "rating", 1, offset=True),
        Role("genre_logits", "genre", n_genres, offset=False),
        Role("audience_mean", "audience", 1, offset=False),
        Role("audience_log_variance", "audience", 1, offset=False),
    )
