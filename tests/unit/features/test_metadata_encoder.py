import tracemalloc

import numpy as np
import pytest

from recsys.config.modalities import MetadataConfig
from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.errors import ConfigError
from recsys.features.metadata import (
    MetadataEncoder,
    in_tenths,
    weighted_multi_hot,
    year_basis,
)
from recsys.features.reduction import truncated_svd

pytest.importorskip("sklearn")

ACTORS = [("ann", "bob"), ("bob", "bob", "cid"), ("ann", "", "bob"), (), ("eve",)]


@pytest.fixture
def encode(make_catalogue):
    def run(facts, years=None, **settings):
        n = len(next(iter(facts.values()))) if facts else len(years)
        catalogue = make_catalogue([f"film {i}" for i in range(n)], years=years, facts=facts)
        return MetadataEncoder(MetadataConfig(**settings)).encode(catalogue)

    return run


def test_multi_hot_by_hand():
    # ann is in two movies of five, bob in three; cid and eve are in one and drop out.
    ann, bob = np.log(5 / 2), np.log(5 / 3)
    both = np.array([ann, bob]) / np.hypot(ann, bob)
    expected = [both, [0, 1], both, [0, 0], [0, 0]]
    np.testing.assert_allclose(weighted_multi_hot(ACTORS, 2).toarray(), expected, rtol=1e-12)


def test_a_value_that_every_movie_has_weighs_nothing():
    assert not weighted_multi_hot([("usa",), ("usa",)], 2).toarray().any()


def test_min_movies_decides_what_is_kept():
    assert [weighted_multi_hot(ACTORS, n).shape[1] for n in (1, 2, 3, 4)] == [4, 2, 1, 0]


def test_years_by_hand():
    basis = year_basis(np.array([1993, UNKNOWN_YEAR, 2000], dtype=np.int32))
    centres = np.array([1990, 1995, 2000])
    np.testing.assert_allclose(basis[0], np.exp(-((1993 - centres) ** 2) / 32))
    np.testing.assert_allclose(basis[2], np.exp(-((2000 - centres) ** 2) / 32))
    assert not basis[1].any()


def test_a_mistyped_year_does_not_add_columns():
    assert year_basis(np.array([1990, 99_999, 3], dtype=np.int32)).shape[1] < 40


def test_reduction_without_loss_keeps_every_inner_product(encode):
    facts = {"actor": ACTORS, "country": [("us",), ("us",), ("fr",), ("fr",), ("us", "fr")]}
    table = encode(facts, fields={"actor": 2.0, "country": 0.5})
    blocks = [
        2 * weighted_multi_hot(facts["actor"], 2),
        weighted_multi_hot(facts["country"], 2) / 2,
    ]
    rows = np.hstack([block.toarray() for block in blocks])
    rows /= np.sqrt((rows**2).sum(axis=1).mean())
    np.testing.assert_allclose(table.vectors @ table.vectors.T, rows @ rows.T, atol=1e-6)
    assert table.vectors.shape[1] == np.linalg.matrix_rank(rows) == table.card.dim


def test_truncation_equals_a_dense_decomposition():
    rng = np.random.default_rng(0)
    values = [tuple(f"v{v}" for v in rng.integers(0, 40, size=6)) for _ in range(80)]
    matrix = weighted_multi_hot(values, 2)
    left, singular, _ = np.linalg.svd(matrix.toarray(), full_matrices=False)
    found = truncated_svd(matrix, 3, seed=0)
    assert found.shape == (80, 3)
    np.testing.assert_allclose(abs(found), abs(left[:, :3] * singular[:3]), atol=2e-2)


@pytest.mark.parametrize("values", [[("a",), ("a",), ()], [(), (), ()], [("a",), ("b",), ("c",)]])
def test_one_value_or_none_is_not_too_few(encode, values):
    table = encode({"actor": values}, min_movies=2)
    assert table.vectors.shape == (3, int(values[0] == values[1] == ("a",)))


def test_a_movie_is_present_with_a_shared_fact_or_a_year(encode):
    years = [UNKNOWN_YEAR, UNKNOWN_YEAR, UNKNOWN_YEAR, 1990, UNKNOWN_YEAR]
    table = encode({"actor": ACTORS}, years)
    assert table.present.tolist() == [True, True, True, True, False]
    assert table.vectors[table.present].any(axis=1).all()


def test_years_alone_are_enough(encode):
    table = encode({}, [1990, 1991, UNKNOWN_YEAR, 1930])
    assert table.present.tolist() == [True, True, False, True]
    near, far = table.vectors[0] @ table.vectors[1], table.vectors[0] @ table.vectors[3]
    assert near > 0.2 > far


def test_neither_facts_nor_years_is_absence_and_no_error(encode):
    table = encode({}, [UNKNOWN_YEAR] * 3)
    assert not table.present.any()
    assert table.vectors.shape == (3, 0)


def test_parts_have_the_promised_scale(encode):
    facts = {"actor": [*ACTORS, ("ann",)]}
    years = [1990, 1995, UNKNOWN_YEAR, 1950, 1960, 1999]
    table = encode(facts, years, year_weight=0.25)
    width = encode(facts, years, year_weight=0).vectors.shape[1]
    lengths = np.linalg.norm(table.vectors[:, :width], axis=1)
    assert np.mean(lengths[lengths > 1e-6] ** 2) == pytest.approx(1)
    lengths = np.linalg.norm(table.vectors[:, width:], axis=1)
    assert np.mean(lengths[lengths > 1e-6] ** 2) == pytest.approx(0.25**2)


def test_the_year_can_be_left_out(encode):
    table = encode({"actor": ACTORS}, [1990] * 5, year_weight=0)
    assert table.present.tolist() == [True, True, True, False, False]


def test_a_misspelt_field_is_named_with_the_nearest_one(encode):
    with pytest.raises(ConfigError, match=r"no fact 'directr'[\s\S]*director"):
        encode({"director": ACTORS}, fields={"directr": 1.0})


def test_a_standard_field_may_be_missing(encode):
    with_one, alone = encode({"actor": ACTORS}), encode({"actor": ACTORS}, fields={"actor": 1.0})
    np.testing.assert_array_equal(with_one.vectors, alone.vectors)


def test_genres_are_refused_even_when_slipped_past_the_configuration(encode, make_catalogue):
    config = MetadataConfig()
    config.fields["genre"] = 1.0
    catalogue = make_catalogue(["a", "b"], facts={"genre": [("Drama",), ("Drama",)]})
    with pytest.raises(ConfigError, match="labels and never inputs"):
        MetadataEncoder(config).encode(catalogue)


def test_the_same_input_gives_the_same_bytes_in_whatever_order_values_come(encode):
    reversed_values = [tuple(reversed(values)) for values in ACTORS]
    one, two = encode({"actor": ACTORS}), encode({"actor": reversed_values})
    assert one.vectors.tobytes() == two.vectors.tobytes()


def test_facts_are_never_made_dense(encode):
    n, shared = 3_000, 20_000
    values = [tuple(f"p{(i * 20 + k) % shared}" for k in range(40)) for i in range(n)]
    tracemalloc.start()
    encode({"actor": values}, dim=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * shared * 8 / 5


def test_numbers_count_as_the_tenth_they_fall_in():
    runtimes = [(str(60 + minute),) for minute in range(40)]
    binned = in_tenths([*runtimes, ()])
    assert binned[-1] == ()
    assert [binned[row] for row in (0, 3, 4, 39)] == [
        ("tenth 0",),
        ("tenth 0",),
        ("tenth 1",),
        ("tenth 9",),
    ]
    assert len(set(binned[:-1])) == 10


@pytest.mark.parametrize(
    "values",
    [
        [(name,) for name in "abcdefghijklmnop"],
        [("1",), ("2",)] * 20,
        [(str(n), str(n + 1)) for n in range(40)],
        [],
    ],
)
def test_what_is_no_number_stays_as_it_is(values):
    assert in_tenths(values) == values
