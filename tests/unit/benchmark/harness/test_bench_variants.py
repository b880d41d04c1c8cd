"""Variants of the joint model: heads, views and modalities that an ablation looks at."""

from __future__ import annotations

import pytest

from recsys.benchmark.entries import joint
from recsys.benchmark.jobs import Job, work
from recsys.benchmark.protocols import SplitSeed

SMALL = {"training.epochs": 1, "model.ranking_dim": 4, "fusion.dim": 4}


@pytest.fixture
def ran(protocol_of):
    pytest.importorskip("torch", reason="training needs torch")

    def run(entry, seed=1):
        protocol = protocol_of(own=(entry,), tunes=False)
        _, found = work(Job("run", protocol, entry.name, SplitSeed("ro", seed)))
        return found

    return run


def groups(metrics):
    return {name.partition(".")[0] for name in metrics}


def test_a_variant_is_evaluated_by_every_head_and_beside_its_views(ran):
    found = ran(joint("small", {**SMALL, "fusion.kind": "gated"}, looks=("one σ", "subsets")))
    assert {"ranking", "rating", "genre", "valid", "weights"} <= groups(found.metrics)
    assert found.metrics["epochs"] == 1
    assert set(found.views) == {"one σ", "subset: (none)", "subset: metadata"}
    assert groups(found.views["one σ"]) == {"rating"}
    whole, nothing = (found.views[f"subset: {n}"] for n in ("metadata", "(none)"))
    assert whole["ranking.ndcg@10"] == pytest.approx(found.metrics["ranking.ndcg@10"], abs=0.02)
    assert nothing["genre.macro_f1"] != found.metrics["genre.macro_f1"]


def test_subsets_are_looked_at_on_the_first_seed_alone(ran):
    assert ran(joint("small", SMALL, looks=("subsets",)), seed=2).views == {}


def test_heads_that_were_not_trained_have_no_figures(ran):
    others = {f"losses.{name}": 0.0 for name in ("ranking", "distillation", "genre", "audience")}
    found = ran(joint("rating alone", {**SMALL, **others, "training.monitor": {"rmse": -1.0}}))
    assert groups(found.metrics) >= {"rating", "valid"}
    assert not groups(found.metrics) & {"ranking", "genre", "audience"}
    assert "valid.ndcg@10" not in found.metrics


def test_modalities_that_are_left_out_are_not_read(ran):
    there, left_out = (ran(joint("small", SMALL, keeps=keeps)) for keeps in (None, ()))
    assert there.metrics["parameters"] > left_out.metrics["parameters"]
