"""Plots of MovieLens-100K, aligned with the metadata of other films, find their own."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def report(real_data, tmp_path_factory):
    """Of words counted in the plot, which take no network; text and metadata alone."""
    pytest.importorskip("torch", reason="training needs torch")
    pytest.importorskip("sklearn", reason="encoding needs scikit-learn")

    from recsys.benchmark.probes import measure_alignment
    from recsys.config.experiment import AlignmentConfig, SourcesConfig
    from recsys.config.loading import load_experiment
    from recsys.features.cache import FeatureCache
    from recsys.workflow import load_split

    config = load_experiment(
        "ml-100k-multimodal", overrides=["features.text.backend=tfidf", "training.threads=1"]
    )
    sources = SourcesConfig(items=config.sources.items)
    config = config.model_copy(update={"sources": sources})
    cache = FeatureCache(tmp_path_factory.mktemp("features"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_REAL_DATA", str(real_data))
        split = load_split(config, real_data / "ml-100k", cache=cache)
    alignment = AlignmentConfig(epochs=20)
    return measure_alignment(config, split.for_fitting(), alignment, seed=0)


def test_held_out_plots_find_their_metadata_far_above_chance(report):
    assert report.n_held_out >= 150
    assert report.after["recall@10"] >= 1.8 * report.chance["recall@10"]
    assert report.after["mrr"] >= 1.8 * report.chance["mrr"]
    assert report.after["all/recall@10"] >= 2.5 * report.chance["all/recall@10"]


def test_before_alignment_they_are_found_by_chance(report):
    chance = report.chance["recall@10"]
    error = (chance * (1 - chance) / report.n_held_out) ** 0.5
    assert abs(report.before["recall@10"] - chance) < 4 * error
