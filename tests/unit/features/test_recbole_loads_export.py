"""RecBole itself loads what is exported for it, vectors included."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR
from recsys.features.export import export_recbole
from recsys.testing.worlds import two_genre_world, without_content

# RecBole patches NumPy and reads sys.argv when it is imported: never in this process.
THEIRS = """
import sys
import numpy as np
sys.argv = sys.argv[:1]
from recbole.config import Config
from recbole.data import create_dataset
settings = {"data_path": ".", "use_gpu": False, "state": "ERROR", "show_progress": False}
config = Config(model="BPR", dataset="toy", config_file_list=["toy/toy.yaml"], config_dict=settings)
dataset = create_dataset(config)
weights = dataset.get_preload_weight("metadata_id")
tokens = dataset.id2token("item_id", np.arange(dataset.item_num))
np.savez("theirs.npz", weights=weights, tokens=np.array(tokens, dtype=str),
         users=dataset.user_num, ratings=dataset.inter_num)
"""


@pytest.mark.recbole
@pytest.mark.slow
def test_recbole_loads_ratings_movies_and_vectors(tmp_path):
    world = two_genre_world()
    world = without_content(world, np.arange(len(world.catalogue)) % 5 == 0)
    years = world.catalogue.years.copy()
    years[1] = UNKNOWN_YEAR
    catalogue = replace(world.catalogue, years=years)
    export_recbole(catalogue, world.train, tmp_path / "toy", "toy")
    done = subprocess.run(
        [sys.executable, "-c", THEIRS],
        cwd=tmp_path,
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    theirs = np.load(tmp_path / "theirs.npz")
    assert int(theirs["ratings"]) == len(world.train)
    assert int(theirs["users"]) == len(np.unique(world.train.user)) + 1
    table = catalogue.modalities["metadata"]
    tokens = theirs["tokens"].tolist()
    assert set(tokens) == {"[PAD]", *catalogue.items}
    for token, weights in zip(tokens[1:], theirs["weights"][1:], strict=True):
        # An absent movie's row is zero here, as it is there.
        row = catalogue.items.row(token)
        np.testing.assert_array_equal(weights.astype(np.float32), table.vectors[row])
