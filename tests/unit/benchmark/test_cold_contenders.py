from __future__ import annotations

import sys
from subprocess import run

import pytest
from recsys.benchmark.contenders.classics import MODALITIES
from recsys.benchmark.contenders.cold import COLD

from recsys.queries.query import Recommender

BY_NAME = {contender.name: contender for contender in COLD}


def made(contender, options=None, seed=0):
    if contender.requires:
        pytest.importorskip(contender.requires)
    return contender.make(contender.space[0] if options is None else options, seed)


@pytest.mark.parametrize("contender", COLD, ids=lambda contender: contender.name)
def test_every_point_can_be_made(contender):
    for options in contender.space:
        model = made(contender, options)
        assert isinstance(model, Recommender)
        assert contender.name in {model.name, "popularity in genre"}
    assert contender.space == ({},) or contender.source
    points = [sorted(point.items()) for point in contender.space]
    assert len(points) <= 12
    assert all(point not in points[:place] for place, point in enumerate(points))


@pytest.mark.parametrize("contender", COLD, ids=lambda contender: contender.name)
def test_the_first_point_is_the_default(contender):
    assert made(contender).config == made(contender, {}).config


@pytest.mark.parametrize("contender", COLD, ids=lambda contender: contender.name)
def test_the_seed_reaches_a_random_model(contender):
    one, two = (made(contender, seed=seed).config for seed in (1, 2))
    assert (one != two) == contender.random == contender.stops_early


def test_names_differ_and_each_modality_has_its_row():
    assert len(BY_NAME) == len(COLD)
    for name in ("content-ridge", "vbpr"):
        assert BY_NAME[name].modality is None
        for modality in MODALITIES:
            contender = BY_NAME[f"{name}:{modality}"]
            assert contender.modality == modality == made(contender).config.modality


def test_weights_of_modalities_are_options():
    ridge = made(BY_NAME["content-ridge"], {"metadata": 1.0})
    assert ridge.config.weights == {"metadata": 1.0}
    ease = made(BY_NAME["ease-content"], {"others": 1.0})
    assert ease.config.weights == {"audio": 1.0, "poster": 1.0, "video": 1.0}


def test_only_models_that_fold_in_say_so():
    folds = {contender.name for contender in COLD if "fold-in" in contender.tasks}
    assert folds == {"popularity in genre", "marec", "ease-content", "dropoutnet"}


def test_a_list_of_names_does_not_import_torch():
    code = "import sys, recsys.benchmark.contenders.cold; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
