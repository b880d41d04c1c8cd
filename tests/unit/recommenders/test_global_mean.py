from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.queries.query import Query
from recsys.recommenders.simple import GlobalMean
from recsys.testing.worlds import data_of


def test_the_mean_and_spread_of_the_ratings(ratings):
    rows = np.arange(3)
    found = GlobalMean().fit(data_of(ratings)).predict_ratings(Query.known(ratings), rows, rows)
    np.testing.assert_allclose(found.mean, np.mean(ratings.rating), rtol=1e-6)
    np.testing.assert_allclose(found.std, np.std(ratings.rating), rtol=1e-6)


def test_equal_ratings_have_no_spread(ratings):
    equal = ratings.select(ratings.rating == 3)
    found = GlobalMean().fit(data_of(equal)).predict_ratings(Query.known(equal), [0], [0])
    assert found.mean.tolist() == [3]
    assert found.std is None


def test_no_rating_is_refused(ratings):
    nothing = ratings.select(np.arange(0))
    with pytest.raises(ConfigError):
        GlobalMean().fit(data_of(nothing))
