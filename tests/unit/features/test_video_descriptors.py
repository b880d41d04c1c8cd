import colorsys

import numpy as np
import pytest

from recsys.features.video_descriptors import FRAME_NAMES, HUES, Picture, describe, motion

pytest.importorskip("PIL")


def flat(colour):
    return Picture(np.full((64, 96, 3), colour, dtype=np.uint8))


def named(picture):
    return dict(zip(FRAME_NAMES, describe(picture), strict=True))


def test_black_and_white_have_known_descriptors():
    black, white = named(flat((0, 0, 0))), named(flat((255, 255, 255)))
    assert (black["brightness"], white["brightness"]) == (0, 1)
    for found in (black, white):
        assert [found[n] for n in ("saturation", "contrast", "edges")] == pytest.approx([0, 0, 0])
        assert sum(found[f"hue {i}"] for i in range(HUES)) == 0
    assert (black["level 0"], white["level 7"]) == (1, 1)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)])
def test_a_pure_colour_fills_one_bin_of_hue(colour):
    hue = colorsys.rgb_to_hsv(*(c / 255 for c in colour))[0]
    found = describe(flat(colour))[:HUES]
    assert found[round(hue * HUES) % HUES] == pytest.approx(1)
    assert found.sum() == pytest.approx(1)


def test_half_black_half_white_has_the_most_contrast_and_one_edge():
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, 48:] = 255
    found = named(Picture(picture))
    assert found["contrast"] == pytest.approx(0.5)
    assert found["edges"] == pytest.approx(2 / 96)


def test_descriptors_are_shares():
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    found = describe(Picture(picture))
    assert ((found >= 0) & (found <= 1)).all()
    assert found[12:16].sum() == pytest.approx(1)
    assert found[16:24].sum() == pytest.approx(1)


def test_motion_is_the_change_of_brightness():
    assert motion(flat((9, 9, 9)), flat((9, 9, 9))) == 0
    assert motion(flat((0, 0, 0)), flat((255, 255, 255))) == 1
