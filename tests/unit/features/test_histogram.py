from __future__ import annotations

import numpy as np
import pytest

from recsys.features.video_descriptors import histogram

RANDOM = np.random.default_rng(4)
PIXELS = RANDOM.integers(0, 256, (7, 9, 3), dtype=np.uint8)


def test_shares_are_those_of_a_loop_over_pixels():
    bins = (12, 4, 5)
    weight = RANDOM.random((7, 9))
    expected = np.zeros(bins)
    for pixel, counts in zip(PIXELS.reshape(-1, 3).tolist(), weight.ravel(), strict=True):
        expected[tuple(value * n // 256 for value, n in zip(pixel, bins, strict=True))] += counts
    np.testing.assert_allclose(histogram(PIXELS, bins, weight), expected.ravel() / 63)


def test_one_channel():
    expected = [np.mean(PIXELS[..., 0] // 64 == level) for level in range(4)]
    np.testing.assert_allclose(histogram(PIXELS[..., :1], (4,)), expected)


def test_every_pixel_counts_once():
    assert histogram(PIXELS, (8, 8, 8)).sum() == pytest.approx(1)
    assert histogram(np.zeros((4, 4, 3), np.uint8), (8, 8, 8))[0] == 1
    assert histogram(np.full((4, 4, 3), 255, np.uint8), (8, 8, 8))[-1] == 1
