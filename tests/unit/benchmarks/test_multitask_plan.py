"""What the benchmark measures is what its documents say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from recsys.experiment.prepare import extract_features

from recsys.config.loading import load_experiment
from recsys.data.sources import open_dataset
from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import ResultRow, ResultsDocument, Seconds, SplitReference
from recsys.features.cache import FeatureCache

Module = Callable[[str], ModuleType]


@pytest.mark.parametrize("fusion", ["concat", "sum", "gated", "sparse"])
@pytest.mark.parametrize("scheme", ["fs", "sp", "asp"])
def test_the_grid_is_the_shipped_configurations(
    multitask: Module, scheme: str, fusion: str
) -> None:
    name = f"{scheme}-{fusion}"
    grid = {variant.name: variant for variant in multitask("variants").GRID}
    measured = multitask("variants").configuration("ml-100k-multimodal", grid.pop(name), ())
    assert measured.fingerprint == load_experiment(name).fingerprint
    assert len(grid) == 11


def test_every_rating_is_weighted_as_the_shipped_configuration_does(multitask: Module) -> None:
    variants = multitask("variants")
    option = next(v for v in variants.USER_OPTIONS if v.name == "every rating weighted")
    config = variants.configuration("ml-100k-multimodal", option, ())
    assert config.user == load_experiment("all-ratings").user


def test_every_variant_differs_from_every_other(multitask: Module) -> None:
    plan = multitask("plan")
    cells = plan.cells(plan.PROTOCOLS["ml-ro"], 2020, plan.GROUPS, ())
    fits = [cell for cell in cells if cell.group not in {"baselines", "subsets"}]
    fingerprints = {cell.config.fingerprint for cell in fits}
    assert len(fingerprints) == len(fits) == 24
    rows = [row for cell in cells for row in cell.rows]
    assert len(set(rows)) == len(rows)
    assert sum(row.startswith(plan.SUBSET) for row in rows) == 2**5


def test_seeds_and_threads_are_those_of_the_protocol(multitask: Module) -> None:
    plan = multitask("plan")
    for protocol in plan.PROTOCOLS.values():
        for cell in plan.cells(protocol, protocol.seeds[-1], ["controls", "baselines"], ()):
            config = cell.config
            assert config.split.name == protocol.split
            assert config.split.seed == config.seed == protocol.seeds[-1]
            assert config.training.threads == 1
    assert len(plan.PROTOCOLS["ml-cold"].seeds) == 10


def test_one_sigma_and_subsets_are_measured_where_they_are_said_to_be(multitask: Module) -> None:
    plan = multitask("plan")
    found = {
        name: [row for cell in plan.cells(p, p.seeds[1], plan.GROUPS, ()) for row in cell.rows]
        for name, p in plan.PROTOCOLS.items()
    }
    assert {n for n, rows in found.items() if any(plan.ONE_SIGMA in r for r in rows)} == {"ml-u1"}
    assert not any(row.startswith(plan.SUBSET) for rows in found.values() for row in rows)


def test_a_control_keeps_one_task_and_stops_by_it(multitask: Module) -> None:
    variants = multitask("variants")
    configs = {
        v.name: variants.configuration("ml-100k-multimodal", v, ()) for v in variants.CONTROLS
    }
    left = {n: {k for k, w in c.losses.model_dump().items() if w} for n, c in configs.items()}
    assert left == {
        "ranking alone": {"ranking", "distillation"},
        "rating alone": {"rating"},
        "genre alone": {"genre"},
    }
    assert configs["rating alone"].training.monitor == {"rmse": -1.0}


@pytest.mark.realdata
@pytest.mark.slow
def test_leaving_vectors_out_is_not_encoding_them(
    multitask: Module, real_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECSYS_REAL_DATA", str(real_data))
    variants = multitask("variants")
    fast = (
        "features.text.backend=tfidf",
        "features.text.dim=8",
        "features.metadata.dim=8",
        "features.poster=null",
    )
    dataset = open_dataset(None, None)
    made = {
        v.name: extract_features(
            variants.configuration("ml-100k-multimodal", v, fast), dataset, FeatureCache(tmp_path)
        ).catalogue.modalities
        for v in (variants.GRID[0], *variants.LEFT_OUT)
        if v.name in {"fs-concat", "without metadata", "without audio"}
    }
    everything = {name: table.fingerprint for name, table in made.pop("fs-concat").items()}
    assert set(everything) == {"text", "metadata", "video", "audio"}
    for name, tables in made.items():
        left = name.removeprefix("without ")
        kept = {n: fingerprint for n, fingerprint in everything.items() if n != left}
        assert {n: table.fingerprint for n, table in tables.items()} == kept


def document(rows: list[ResultRow]) -> ResultsDocument:
    return ResultsDocument(
        created=date(2024, 5, 6),
        versions={"python": "3"},
        hardware=Hardware(cpu="x", cores=2, threads=1, memory_gib=None),
        dataset="d",
        split=SplitReference(name="ro", seed=2020, fingerprint="f"),
        config="c",
        rows=rows,
    )


def test_only_what_changed_is_measured_again(multitask: Module, tmp_path: Path) -> None:
    work = multitask("work")
    task = work.Task("ml-u1", 2020, tmp_path, ("controls",), ())
    waiting = task.pending()
    assert [cell.name for cell in waiting] == ["ranking alone", "rating alone", "genre alone"]
    rows = [
        ResultRow(
            model=cell.name,
            seed=2020,
            seconds=Seconds(fit=1, score=1),
            n_users=1,
            config=cell.config.fingerprint,
        )
        for cell in waiting
    ]
    document([rows[0], rows[1].model_copy(update={"config": "older"})]).save(task.path)
    assert [cell.name for cell in task.pending()] == ["rating alone", "genre alone"]
    document(rows).save(task.path)
    assert not task.pending()
    assert replace(task, extra=("training.epochs=3",)).pending()
