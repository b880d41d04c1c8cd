from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import LabelSplit, Split, SplitSpec, genre_partition
from recsys.errors import AlignmentError, DataError
from recsys.recommenders.registry import create

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


STARS, TIME = 2.71875, 987_654_321
"""Of the test ratings alone, so that they are recognised wherever they are."""


@pytest.fixture
def marked(toy: Interactions, toy_catalogue: Catalogue, tmp_path: Path) -> Split:
    """A split read from a folder that tells of its users, its test ratings unlike all others."""
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n")
    rows = np.arange(len(toy))
    assert toy.time is not None
    held = rows >= 60
    whole = replace(
        toy,
        rating=np.where(held, np.float32(STARS), toy.rating),
        time=np.where(held, TIME, toy.time),
    )
    parts = (whole.select(rows < 50), whole.select((rows >= 50) & ~held), whole.select(held))
    dataset = Dataset("toy", whole, toy_catalogue, origin=tmp_path)
    return Split(dataset, *parts, SPEC, label_seed=3)


def reachable(thing: object) -> Iterator[object]:
    """A thing and all that it holds: attributes, entries, and what its functions close over."""
    waiting, seen = [thing], set[int]()
    kept = []  # so that no id is used twice
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | str | bytes | int | float):
            continue
        seen.add(id(one))
        kept.append(one)
        yield one
        waiting += list(getattr(one, "__dict__", {}).values())
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += list(one)
        elif isinstance(one, FunctionType):
            waiting += [cell.cell_contents for cell in one.__closure__ or ()]
            waiting += list(one.__defaults__ or ())
        elif isinstance(one, partial):
            waiting += [one.func, *one.args, *one.keywords.values()]
        elif isinstance(one, MethodType):
            waiting += [one.__self__, one.__func__]


def holds_test(thing: object) -> bool:
    """Whether a test rating, its time, or the split itself is anywhere in a thing."""
    for one in reachable(thing):
        if isinstance(one, Split | Dataset):
            return True
        numbers = getattr(one, "data", None) if sp.issparse(one) else one
        is_of_numbers = isinstance(numbers, np.ndarray) and numbers.dtype.kind in "fiu"
        if is_of_numbers and ((numbers == STARS) | (numbers == TIME)).any():
            return True
    return False


def test_what_a_model_is_fitted_on_holds_no_test_rating_anywhere(marked: Split) -> None:
    assert holds_test(marked)
    assert holds_test(marked.test)
    assert holds_test(lambda: marked)
    data = marked.for_fitting()
    assert not holds_test(data)
    assert not hasattr(data, "test")
    assert data.read_people()["1"].age == 24
    assert (data.train, data.valid, data.catalogue) == (
        marked.train,
        marked.valid,
        marked.catalogue,
    )
    assert data.source.split == marked.fingerprint


@pytest.mark.parametrize("name", ["popularity", "item-knn", "svd"])
def test_a_fitted_model_holds_no_test_rating_anywhere(marked: Split, name: str) -> None:
    model = create(name).fit(marked)
    assert not holds_test(model)
    assert model.source.split == marked.fingerprint


def test_the_labels_of_test_movies_are_not_named_in_fitting(marked: Split) -> None:
    labels = marked.for_fitting().labels
    assert marked.labels.test.any()
    assert not labels.test.any()
    np.testing.assert_array_equal(labels.train, marked.labels.train)
    np.testing.assert_array_equal(labels.valid, marked.labels.valid)
    expected = genre_partition(marked.catalogue, 3)
    np.testing.assert_array_equal(marked.labels.test, expected.test)


def test_refitting_learns_from_train_and_valid_and_keeps_the_test(marked: Split) -> None:
    whole = marked.refit_on_train_valid()
    assert whole.train.fingerprint == marked.train.join(marked.valid).fingerprint
    assert len(whole.valid) == 0
    assert whole.test.fingerprint == marked.test.fingerprint
    assert whole.spec == marked.spec
    assert whole.fingerprint != marked.fingerprint
    assert (whole.dataset, whole.label_seed) == (marked.dataset, marked.label_seed)
    again = whole.refit_on_train_valid()
    assert again.fingerprint == whole.fingerprint
    assert not holds_test(whole.for_fitting())


def test_refitting_on_cold_valid_movies_makes_them_warm(toy: Interactions, make: Make) -> None:
    parts = (toy.select(toy.item > 1), toy.select(toy.item == 1), toy.select(toy.item == 0))
    split = make(*parts, SPEC, cold_items=np.array([0]), cold_valid_items=np.array([1]))
    whole = split.refit_on_train_valid()
    assert len(whole.cold_valid_items) == 0
    np.testing.assert_array_equal(whole.cold_items, split.cold_items)
    assert whole.train.item_counts()[split.cold_valid_items].all()


def test_another_catalogue_leaves_the_ratings_as_they_are(
    marked: Split, toy_catalogue: Catalogue
) -> None:
    other = replace(toy_catalogue, genres=~toy_catalogue.genres)
    moved = marked.with_catalogue(other)
    assert moved.catalogue is other
    assert moved.fingerprint == marked.fingerprint
    reordered = replace(other, items=type(other.items)(reversed(other.items.ids)))
    with pytest.raises(AlignmentError, match="hold different movies"):
        marked.with_catalogue(reordered)


def test_it_is_represented_by_a_line(marked: Split) -> None:
    assert repr(marked) == "Split('mine', seed 7, of 'toy': train 50, valid 10, test 20)"
    assert len(repr(marked.dataset)) < 150
