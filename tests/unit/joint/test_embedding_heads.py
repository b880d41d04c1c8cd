from __future__ import annotations

from dataclasses import fields

import pytest

from recsys.config.experiment import ModelConfig
from recsys.recommenders.joint.content import TASKS, embedding_heads
from recsys.recommenders.joint.embedding_model import MovieVectors

MODEL = ModelConfig(ranking_dim=7, rating_dim=4)
READ = embedding_heads(MODEL, n_genres=5)
NOT_READ = {"weight", "modality_weights"}
"""Arrays of a movie that come from counts and from fusion."""


def test_every_array_of_a_movie_has_its_role():
    names = [role.name for role in READ]
    assert len(set(names)) == len(names)
    served = {field.name for field in fields(MovieVectors)} - NOT_READ
    assert set(names) == served | {"rank_bias"}  # which is the last column of ``ranked``


def test_every_task_reads_something():
    assert {role.task for role in READ} == set(TASKS)


@pytest.mark.parametrize(
    ("task", "dims"),
    [
        ("ranking", {"liked": 7, "ranked": 7, "rank_bias": 1}),
        ("rating", {"rating_in": 4, "rating_out": 4, "rating_mean": 1, "log_variance": 1}),
        ("genre", {"genre_logits": 5}),
        ("audience", {"audience_mean": 1, "audience_log_variance": 1}),
    ],
)
def test_tasks_read_what_is_theirs(task, dims):
    assert {role.name: role.dim for role in READ if role.task == task} == dims


def test_what_is_said_of_movies_alone_has_no_offset():
    """Genres and audience scores are of the content: there, nothing is learnt by heart."""
    assert {role.task for role in READ if not role.offset} == {"genre", "audience"}
    assert {role.task for role in READ if role.offset} == {"ranking", "rating"}
