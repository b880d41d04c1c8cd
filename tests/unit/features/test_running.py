import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.features.running import EvenSample, Moments, pieces

ROWS = arrays(np.float64, st.tuples(st.integers(0, 30), st.just(2)), elements=st.floats(-1e3, 1e3))


@given(ROWS, st.lists(st.integers(0, 30), max_size=4))
def test_moments_in_batches_are_those_of_all_rows(rows, cuts):
    moments = Moments(2)
    for batch in np.split(rows, sorted(cuts)):
        moments.add(batch)
    assert moments.count == len(rows)
    expected = (rows.mean(axis=0), rows.std(axis=0)) if len(rows) else (np.zeros(2), np.zeros(2))
    np.testing.assert_allclose(moments.mean, expected[0], atol=1e-9)
    np.testing.assert_allclose(moments.std, expected[1], atol=1e-6)


def test_moments_far_from_zero_keep_their_digits():
    moments = Moments(1)
    for value in (1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16):
        moments.add(np.array([[value]]))
    assert moments.std[0] ** 2 == pytest.approx(22.5)


@given(st.integers(0, 400), st.integers(1, 9))
def test_an_even_sample_spreads_over_everything_that_was_offered(offered, size):
    sample = EvenSample[int](size)
    made = []
    for i in range(offered):
        sample.offer(lambda i=i: made.append(i) or i)
    taken = sample.take()
    assert len(taken) == min(size, offered)
    assert taken == sorted(set(taken))
    assert len(made) <= 4 * size * (2 + np.log2(1 + offered / size))
    if offered > size:
        wanted = [(i + 0.5) * offered / size for i in range(size)]
        assert np.abs(np.subtract(taken, wanted)).max() <= offered / size / 2 + 1


def test_a_sample_of_nothing_makes_nothing():
    sample = EvenSample[int](0)
    sample.offer(lambda: pytest.fail("it was made"))
    assert sample.take() == []


@given(st.lists(st.integers(0, 7), max_size=12), st.integers(1, 9))
def test_pieces_hold_the_same_samples_in_equal_parts(lengths, size):
    samples = np.arange(sum(lengths), dtype=np.float32)
    found = list(pieces(np.split(samples, np.cumsum(lengths)[:-1]), size))
    assert all(len(piece) == size for piece in found[:-1])
    assert all(0 < len(piece) <= size for piece in found)
    np.testing.assert_array_equal(np.concatenate([*found, samples[:0]]), samples)
