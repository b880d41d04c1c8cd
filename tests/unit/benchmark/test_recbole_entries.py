"""RecBole's models as entrys, and the order in which their options are tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from recsys.benchmark.entries import DOCUMENTED, ENTRIES
from recsys.benchmark.recbole.model import RecBoleModel

RECBOLE = [entry for entry in ENTRIES if entry.family == "recbole"]
MODELS = ["Pop", "ItemKNN", "BPR", "NeuMF", "LightGCN", "NCL", "SimpleX", "EASE", "SLIMElastic"]
MODELS += ["ADMMSLIM", "MultiVAE", "RecVAE", "DiffRec"]

# Every option must be one of the model's own; RecBole itself would pass over a misspelt one.
KNOWS = """
import json, sys
spaces = json.load(sys.stdin)
sys.argv = sys.argv[:1]
from recbole.config import Config
unknown = []
for model, options in spaces.items():
    config = Config(model=model, dataset="split", config_dict={"gpu_id": ""})
    known = set(config.internal_config_dict).union(*config.parameters.values())
    unknown += [f"{model}.{option}" for option in options if option not in known]
print(json.dumps(unknown))
"""


def test_all_of_them_are_there():
    assert [entry.name for entry in RECBOLE] == [f"{model} (RecBole)" for model in MODELS]
    assert {entry.facts.library for entry in RECBOLE} == {"ray"}
    assert {entry.family for entry in RECBOLE} == {"recbole"}
    assert {task for entry in RECBOLE for task in entry.tasks} == {"warm"}


@pytest.mark.parametrize("entry", RECBOLE, ids=MODELS)
def test_every_point_makes_a_model_and_occurs_once(entry):
    points = [json.dumps(point, sort_keys=True) for point in entry.space]
    assert len(set(points)) == len(points)
    for point in (entry.space[0], entry.space[-1]):
        made = entry.make(point, 7)
        assert isinstance(made, RecBoleModel)
        assert made.name == entry.name
        assert made.config.options == point
        assert made.config.seed == 7


DEFAULTS = """
import json, sys
spaces = json.load(sys.stdin)
sys.argv = sys.argv[:1]
from recbole.config import Config
found = {}
for model, point in spaces.items():
    config = Config(model=model, dataset="split", config_dict={"gpu_id": ""})
    found[model] = {name: repr(config[name]) for name in point}
print(json.dumps(found))
"""


@pytest.mark.recbole
def test_who_is_said_to_begin_as_documented_begins_with_recboles_defaults():
    first = {c.name.removesuffix(" (RecBole)"): dict(c.space[0]) for c in RECBOLE}
    done = subprocess.run(
        [sys.executable, "-c", DEFAULTS],
        input=json.dumps(first),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    defaults = json.loads(done.stdout.splitlines()[-1])
    same = {
        name
        for name, point in first.items()
        if all(_value(v) == defaults[name][k] for k, v in point.items() if k != "valid_metric")
    }
    told = {c.name.removesuffix(" (RecBole)"): c.first_from for c in RECBOLE}
    assert {name for name in same if "valid_metric" not in first[name]} == {
        name for name, text in told.items() if text == DOCUMENTED
    }
    assert {name for name in same if "valid_metric" in first[name]} == {
        name for name, text in told.items() if text.endswith("stopping by NDCG@10")
    }


def _value(value) -> str:
    """As a configuration has it: lists are written as text in a point."""
    return value if isinstance(value, str) and value.startswith("[") else repr(value)


def test_models_that_stop_early_may_stop_by_what_they_are_evaluated_by():
    chooses = {c.name.split()[0]: c.space for c in RECBOLE if "valid_metric" in c.space[0]}
    solved = {"Pop", "ItemKNN", "EASE", "SLIMElastic", "ADMMSLIM"}
    assert set(chooses) == set(MODELS) - solved
    for space in chooses.values():
        assert [point["valid_metric"] for point in space[:2]] == ["NDCG@10", "MRR@10"]


def test_what_draws_nothing_is_not_random():
    assert {c.name.split()[0] for c in RECBOLE if not c.facts.random} == {"ItemKNN", "EASE"}


@pytest.mark.recbole
@pytest.mark.slow
def test_recbole_knows_every_option(tmp_path):
    spaces = {c.name.split()[0]: sorted({o for p in c.space for o in p}) for c in RECBOLE}
    done = subprocess.run(
        [sys.executable, "-c", KNOWS],
        input=json.dumps(spaces),
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
