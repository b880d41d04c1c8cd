"""Rivals that predict stars keep the promises of a rating predictor."""

from __future__ import annotations

import pytest

from recsys.recommenders.global_mean import GlobalMean
from recsys.recommenders.myfm.model import MyFM, MyFMConfig
from recsys.recommenders.svd.model import Svd, SvdConfig, SvdPlusPlus, SvdPlusPlusConfig
from recsys.testing.rating_contract import RatingPredictorContract


class TestGlobalMean(RatingPredictorContract):
    personalised = False

    def make(self):
        return GlobalMean()

    def test_predictions_beat_the_global_mean(self):
        """It is the global mean."""


class TestSvd(RatingPredictorContract):
    def make(self):
        return Svd(SvdConfig(factors=4, epochs=40, lr=0.02))


class TestSvdPlusPlus(RatingPredictorContract):
    def make(self):
        return SvdPlusPlus(SvdPlusPlusConfig(factors=4, epochs=40, lr=0.02))


class NeedsMyFM(RatingPredictorContract):
    __test__ = False

    @pytest.fixture(autouse=True)
    def _library(self):
        pytest.importorskip("myfm")


class TestMyFMOrdinal(NeedsMyFM):
    __test__ = True

    def make(self):
        return MyFM(MyFMConfig(rank=4, samples=60, inputs="date"))


class TestMyFMRegression(NeedsMyFM):
    __test__ = True

    def make(self):
        return MyFM(MyFMConfig(rank=4, samples=60, ordinal=False, inputs="ids"))
