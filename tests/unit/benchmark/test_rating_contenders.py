from __future__ import annotations

import pytest
from recsys.benchmark.contenders.rating import RATING

from recsys.queries.query import RatingPredictor


def test_names_differ_and_every_point_can_be_made():
    assert len({contender.name for contender in RATING}) == len(RATING) == 10
    for contender in RATING:
        for options in contender.space:
            assert isinstance(contender.make(options, 1), RatingPredictor)


def test_the_first_point_is_the_default():
    by_name = {contender.name: contender for contender in RATING}
    for name in ("bias", "svd", "svd++"):
        made = by_name[name].make(by_name[name].space[0], 0)
        assert made.config == type(made)().config
    published = by_name["myfm-ordinal-date"].make(by_name["myfm-ordinal-date"].space[0], 42).config
    assert (published.rank, published.samples, published.inputs) == (10, 512, "date")


@pytest.mark.parametrize("contender", RATING, ids=lambda contender: contender.name)
def test_the_seed_reaches_a_random_model(contender):
    one, two = (contender.make(contender.space[0], seed) for seed in (1, 2))
    assert (getattr(one, "config", None) != getattr(two, "config", None)) == contender.random
    assert contender.space == ({},) or contender.source
