"""Our item-kNN and RecBole's have the same neighbours and the same weights."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.recommenders.item_knn import ItemKNNConfig, cosine_neighbours

# RecBole patches NumPy and reads sys.argv when it is imported: never in this process.
THEIRS = """
import sys
import scipy.sparse as sp
cases = [case.split(":") for case in sys.argv[1:]]
sys.argv = sys.argv[:1]
from recbole.model.general_recommender.itemknn import ComputeSimilarity
matrix = sp.csr_matrix(sp.load_npz("matrix.npz"))
for k, shrink in cases:
    similarity = ComputeSimilarity(matrix, topk=int(k), shrink=float(shrink))
    sp.save_npz(f"{k}.npz", similarity.compute_similarity()[1].tocsr())
"""
CASES = [ItemKNNConfig(k=80, shrink=0.0), ItemKNNConfig(k=12, shrink=5.0)]


@pytest.mark.recbole
@pytest.mark.slow
def test_similarities_equal_recbole_s(tmp_path):
    if importlib.util.find_spec("recbole") is None:
        pytest.skip("recbole is not installed")
    random = np.random.default_rng(1)
    matrix = sp.csr_array((random.random((150, 80)) < np.linspace(0.6, 0.02, 80)).astype("f4"))
    sp.save_npz(tmp_path / "matrix.npz", matrix)
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, *(f"{case.k}:{case.shrink}" for case in CASES)],
        cwd=tmp_path,
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for case in CASES:
        theirs = sp.load_npz(tmp_path / f"{case.k}.npz").toarray().T
        ours = cosine_neighbours(matrix, case).toarray()
        # Among equal similarities RecBole keeps whichever its partition leaves: compare the values
        # of each movie's neighbours in order, and the weights wherever both keep them.
        np.testing.assert_allclose(np.sort(ours), np.sort(theirs), rtol=1e-5)
        both = (ours > 0) & (theirs > 0)
        assert both.sum() > 0.9 * (ours > 0).sum()
        np.testing.assert_allclose(ours[both], theirs[both], rtol=1e-5)
