"""The default model on MovieLens-100K, trained and evaluated in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.xdist_group("the default model on MovieLens-100K"),
]

REPOSITORY = Path(__file__).resolve().parents[2]
TWO_GB = 2 * 1024 * 1024  # in kB, as /proc counts

# VmHWM rather than ru_maxrss, which a child starts with its parent's.
PROGRAM = """
import json, sys
from pathlib import Path
from recsys.config.loading import load_experiment
from recsys.workflow import evaluate_row, load_split, train

config = load_experiment(overrides=sys.argv[2:])
split = load_split(config, Path(sys.argv[1]))
row = evaluate_row(train(config, split), split, config)
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
peak = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
found = {"rating": row.rating, "ranking": row.ranking, "genre": row.genre}
print(json.dumps(found | {"peak_kb": peak, "modalities": list(split.catalogue.modalities)}))
"""


@pytest.fixture(scope="module")
def measure(real_data, tmp_path_factory):
    """Trains on a split and gives what was measured on its test part; features are encoded once."""
    pytest.importorskip("torch", reason="training needs torch")
    pytest.importorskip("sklearn", reason="encoding needs scikit-learn")
    cache = tmp_path_factory.mktemp("cache")

    def run(*overrides: str) -> dict:
        command = [sys.executable, "-c", PROGRAM, str(real_data / "ml-100k"), *overrides]
        environment = {**os.environ, "RECSYS_CACHE_DIR": str(cache)}
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        )
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def require_one_honest_model(found: dict) -> None:
    """Text and metadata are read, no head is bought with another, and what it states holds."""
    assert found["modalities"] == ["text", "metadata"]
    assert found["rating"]["rmse"] <= 0.95
    assert found["ranking"]["ndcg@10"] >= 0.30
    assert found["genre"]["macro_roc_auc"] >= 0.65
    assert 0.70 <= found["rating"]["coverage_80"] <= 0.90
    assert found["rating"]["coverage_95"] >= 0.90
    assert all(peak <= TWO_GB for peak in found["peak_kb"])


# One training a test: however tests are dealt to workers, none is trained twice.
def test_ranking_on_recbole_s_split(measure):
    found = measure("split.name=ro", "split.seed=2020")
    assert found["ranking"]["ndcg@10"] >= 0.30
    require_one_honest_model(found)


def test_ratings_of_the_first_fold(measure):
    found = measure("split.name=u1")
    assert found["rating"]["rmse"] <= 0.93
    require_one_honest_model(found)
