from __future__ import annotations

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary


@pytest.fixture
def ratings():
    """25 users, 14 movies; the last movie and the last user have no rating."""
    random = np.random.default_rng(3)
    rated = random.random((25, 14)) < 0.5
    rated[-1], rated[:, -1] = False, False
    user, item = np.nonzero(rated)
    return Interactions(
        Vocabulary(str(n) for n in range(25)),
        Vocabulary(str(n) for n in range(14)),
        user,
        item,
        random.integers(1, 6, len(user)),
    )
