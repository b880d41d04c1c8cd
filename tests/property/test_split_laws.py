from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import SPLIT_NAMES, Split, genre_partition, make_split
from recsys.data.splits.rules import TEST, VALID, deal, torch_permutation
from recsys.data.vocabulary import Vocabulary
from recsys.seeding import stream

pytestmark = pytest.mark.filterwarnings("error")
ANY_DATA = [name for name in SPLIT_NAMES if not name.startswith("u")]
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Interactions, Catalogue]:
    """Up to 8 users and 12 movies, few titles (so many twins), distinct times in any order."""
    n_users, n_items = draw(st.integers(1, 8)), draw(st.integers(1, 12))
    pair = st.tuples(st.integers(0, n_users - 1), st.integers(0, n_items - 1))
    pairs = draw(st.lists(pair, min_size=1, max_size=60, unique=True))
    items = Vocabulary([f"m{row}" for row in range(n_items)])
    titles = draw(st.lists(st.sampled_from("ABCDEFGHIJ"), min_size=n_items, max_size=n_items))
    genres = draw(st.lists(st.booleans(), min_size=n_items, max_size=n_items))
    catalogue = Catalogue(
        items, tuple(titles), np.full(n_items, 1990), ("g",), np.array(genres)[:, None]
    )
    user, item = np.array(pairs).T
    interactions = Interactions(
        users=Vocabulary([f"u{row}" for row in range(n_users)]),
        items=items,
        user=user,
        item=item,
        rating=1 + (user + item) % 5,
        time=np.array(draw(st.permutations(range(len(pairs))))),
    )
    return interactions, catalogue


def _rows(*parts: Interactions) -> Counter[tuple[int, int, float, int]]:
    rows: Counter[tuple[int, int, float, int]] = Counter()
    for part in parts:
        assert part.time is not None
        columns = (part.user, part.item, part.rating, part.time)
        rows.update(zip(*(column.tolist() for column in columns), strict=True))
    return rows


@given(world=worlds(), name=st.sampled_from(ANY_DATA), seed=SEEDS)
def test_every_rating_is_in_exactly_one_part(
    world: tuple[Interactions, Catalogue], name: str, seed: int
) -> None:
    split = make_split(Dataset("toy", *world), name, seed)
    assert _rows(*split.parts.values()) == _rows(world[0])


@given(world=worlds(), name=st.sampled_from(ANY_DATA), seed=SEEDS)
def test_parts_keep_the_order_of_the_source(
    world: tuple[Interactions, Catalogue], name: str, seed: int
) -> None:
    source = {row: place for place, row in enumerate(_rows(world[0]))}
    for part in make_split(Dataset("toy", *world), name, seed).parts.values():
        places = [source[row] for row in _rows(part)]
        assert places == sorted(places)


@given(world=worlds(), name=st.sampled_from(ANY_DATA), seed=SEEDS)
def test_equal_requests_give_equal_splits(
    world: tuple[Interactions, Catalogue], name: str, seed: int
) -> None:
    one, two = (
        make_split(Dataset("toy", *world), name, seed),
        make_split(Dataset("toy", *world), name, seed),
    )
    assert one.fingerprint == two.fingerprint
    assert _same_cold(one, two)


def _same_cold(one: Split, two: Split) -> bool:
    return np.array_equal(one.cold_items, two.cold_items) and np.array_equal(
        one.cold_valid_items, two.cold_valid_items
    )


@given(world=worlds(), seed=SEEDS)
def test_twins_are_cold_together(world: tuple[Interactions, Catalogue], seed: int) -> None:
    split = make_split(Dataset("toy", *world), "cold-items", seed)
    films = [set(world[1].film_groups[part.item].tolist()) for part in split.parts.values()]
    assert sum(map(len, films)) == len(set.union(*films))
    assert len(films[2]) == len(set.union(*films)) // 5


@given(world=worlds(), seed=SEEDS)
def test_the_genre_partition_covers_the_labelled_movies(
    world: tuple[Interactions, Catalogue], seed: int
) -> None:
    catalogue, parts = world[1], genre_partition(world[1], seed)
    masks = (parts.train, parts.valid, parts.test)
    np.testing.assert_array_equal(sum(m.astype(int) for m in masks), catalogue.genres[:, 0])
    films = [set(catalogue.film_groups[mask].tolist()) for mask in masks]
    assert sum(map(len, films)) == len(set.union(*films))


@given(world=worlds(), seed=SEEDS)
def test_leaving_the_last_leaves_at_most_one_a_user(
    world: tuple[Interactions, Catalogue], seed: int
) -> None:
    split = make_split(Dataset("toy", *world), "leave-last", seed)
    expected = world[0].user_counts() >= 3
    np.testing.assert_array_equal(split.test.user_counts(), expected)
    np.testing.assert_array_equal(split.valid.user_counts(), expected)
    for user in np.flatnonzero(expected):
        times = [p.time[p.user == user] for p in split.parts.values() if p.time is not None]
        assert times[0].max() < times[1].min() < times[2].max()


@given(n=st.integers(0, 300), seed=SEEDS, data=st.data())
def test_a_deal_has_the_sizes_asked_for(n: int, seed: int, data: st.DataObject) -> None:
    test = data.draw(st.integers(0, n))
    valid = data.draw(st.integers(0, n - test))
    parts = deal(n, valid=valid, test=test, rng=stream(seed, "deal"))
    assert (len(parts), (parts == VALID).sum(), (parts == TEST).sum()) == (n, valid, test)


@given(n=st.integers(1, 300), seed=SEEDS)
def test_a_permutation_holds_every_place_once(n: int, seed: int) -> None:
    assert sorted(torch_permutation(n, seed).tolist()) == list(range(n))
