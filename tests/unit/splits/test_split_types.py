from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import LabelSplit, Split, SplitSpec
from recsys.errors import AlignmentError, DataError

SPEC = SplitSpec("mine", 7, {"b": 2, "a": 1}, "f00d")
Make = Callable[..., Split]


@pytest.fixture
def make(toy: Interactions, toy_catalogue: Catalogue) -> Make:
    """A split of the toy data set from its parts."""

    def split(*parts: Any, **rest: Any) -> Split:
        return Split(Dataset("toy", toy, toy_catalogue), *parts, **rest)

    return split


def test_the_canonical_form_ignores_the_order_of_the_parameters() -> None:
    same = SplitSpec("mine", 7, {"a": 1, "b": 2}, "f00d")
    assert SPEC.to_json() == same.to_json()
    expected = {"name": "mine", "seed": 7, "params": {"a": 1, "b": 2}, "dataset": "f00d"}
    assert json.loads(SPEC.to_json()) == SPEC.to_dict() == expected


def test_the_parameters_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        SPEC.params["a"] = 2  # type: ignore[index]


def test_a_rating_in_two_parts_is_refused_and_named(toy: Interactions, make: Make) -> None:
    rows = np.arange(len(toy))
    with pytest.raises(DataError, match="8 ratings are in more than one part") as caught:
        make(toy.select(rows[:20]), toy.select(rows[12:30]), toy.select(rows[30:]), SPEC)
    assert caught.value.count == 8
    user, item = toy.users.id(toy.user[12]), toy.items.id(toy.item[12])
    assert caught.value.rows[0] == f"user {user}, movie {item}"
    assert len(caught.value.rows) == 5


def test_parts_of_other_vocabularies_are_refused(toy: Interactions, make: Make) -> None:
    train, rest = toy.select(np.arange(20)), toy.select(np.arange(20, 40))
    reordered = type(toy.items)(reversed(toy.items.ids))
    with pytest.raises(AlignmentError, match="test and train"):
        make(train, rest, replace(toy.select(np.arange(40, 60)), items=reordered), SPEC)


@pytest.mark.parametrize("field", ["cold_items", "cold_valid_items"])
def test_a_cold_movie_has_no_ratings_in_train(toy: Interactions, make: Make, field: str) -> None:
    is_first = toy.item == 0
    parts = (toy.select(~is_first), toy.select(np.arange(0)), toy.select(is_first))
    with pytest.raises(DataError, match=r"1 cold movies have ratings in train\n +movie 1"):
        make(*parts, SPEC, **{field: np.array([1], dtype=np.int32)})
    split = make(*parts, SPEC, cold_items=np.array([0]))
    assert split.cold_items.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        split.cold_items[0] = 1


def test_the_fingerprint_is_of_spec_and_contents(toy: Interactions, make: Make) -> None:
    rows = np.arange(len(toy))
    parts = (toy.select(rows[:40]), toy.select(rows[40:50]), toy.select(rows[50:]))
    moved = (toy.select(rows[:41]), toy.select(rows[41:50]), toy.select(rows[50:]))
    split = make(*parts, SPEC)
    others = [
        make(*moved, SPEC),
        make(parts[0], parts[2], parts[1], SPEC),
        *(
            make(*parts, replace(SPEC, **change))
            for change in ({"name": "x"}, {"seed": 8}, {"params": {}}, {"dataset": ""})
        ),
    ]
    assert len({split.fingerprint, *(other.fingerprint for other in others)}) == 7
    assert make(*parts, SPEC).fingerprint == split.fingerprint


def test_a_movie_in_two_label_parts_is_refused() -> None:
    both = np.array([False, True, True])
    with pytest.raises(DataError, match=r"1 movies are in more than one part\n +item row 2"):
        LabelSplit(both, ~both, np.array([False, False, True]))
    with pytest.raises(DataError, match=r"shapes \(3,\), \(3,\), \(2,\)"):
        LabelSplit(both, ~both, np.array([False, False]))
