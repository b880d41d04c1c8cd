import numpy as np
import pytest

from recsys.features.video_descriptors import Picture, ShotDetector, alike

pytest.importorskip("PIL")


def noise(seed, low=40, high=215):
    coarse = np.random.default_rng(seed).integers(low, high, (8, 12, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


def cuts(pictures, fps=10):
    detector = ShotDetector(0.25)
    return [i for i, p in enumerate(pictures) if detector.add(i / fps, Picture(p))], detector


def test_every_cut_is_found_and_nothing_else():
    pictures = [noise(shot) for shot in range(5) for _ in range(10)]
    found, detector = cuts(pictures)
    assert found == [10, 20, 30, 40]
    detector.finish(5.0)
    assert (detector.lengths.mean[0], detector.lengths.std[0]) == pytest.approx((1.0, 0.0))


def test_a_fade_is_no_cut():
    picture = noise(0).astype(float)
    found, _ = cuts([(picture * level).astype(np.uint8) for level in np.linspace(1, 0.2, 8)])
    assert found == []


def test_a_pan_is_no_cut():
    picture = noise(0)
    assert cuts([np.roll(picture, i, axis=1) for i in range(30)])[0] == []


def test_a_cut_to_black_is_one():
    assert cuts([noise(0)] * 10 + [np.zeros((64, 96, 3), np.uint8)] * 10)[0] == [10]


def test_a_flash_is_not_two_cuts():
    white = np.full((64, 96, 3), 255, np.uint8)
    assert cuts([noise(0)] * 10 + [white] * 2 + [noise(0)] * 10)[0] == [10]


def test_black_bars_do_not_make_shots_alike():
    first, second = noise(1), noise(2)
    for picture in (first, second):
        picture[:20] = picture[-20:] = 0
    assert alike(Picture(first).luma, Picture(second).luma) < 0.5


def test_alike_ignores_brightness_and_contrast():
    luma = Picture(noise(3)).luma
    assert alike(luma, luma * np.float32(0.5) + np.float32(0.2)) == pytest.approx(1, abs=1e-5)
    assert alike(luma, 1 - luma) == pytest.approx(-1, abs=1e-5)
    assert alike(np.zeros_like(luma), np.zeros_like(luma)) == 0
