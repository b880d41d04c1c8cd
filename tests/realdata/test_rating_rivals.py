"""SVD and SVD++ are as good here as published: 0.934 and 0.919 on random fifths of MovieLens-100K.

The figures are those of the library Surprise, with the defaults that ours have too.
"""

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.sources import open_dataset
from recsys.evaluation.rating import evaluate_ratings
from recsys.queries.query import Query
from recsys.recommenders.svd.model import Svd, SvdPlusPlus
from recsys.testing.worlds import data_of


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(("model", "published"), [(Svd, 0.934), (SvdPlusPlus, 0.919)])
def test_published_error(real_data, model, published):
    dataset = open_dataset("ml-100k", real_data)
    held_out = np.random.RandomState(0).permutation(len(dataset.interactions)) % 5 == 0
    train, test = (dataset.interactions.select(rows) for rows in (~held_out, held_out))
    fitted = model().fit(data_of(train, test.select(np.arange(0)), dataset.catalogue))
    assert evaluate_ratings(fitted, test, Query.known(train)).rmse == pytest.approx(
        published, abs=0.006
    )
