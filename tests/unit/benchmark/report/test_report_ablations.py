"""Tables, tests and sentences about variants follow from invented figures as arithmetic says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from scipy import stats

from recsys.benchmark.ablation_page import (
    NDCG,
    RMSE,
    Ablation,
    findings,
    of_readme,
    p_value,
)
from recsys.benchmark.ablations import EVERY_PROTOCOL, REFERENCE
from recsys.benchmark.leaderboard import wide
from recsys.benchmark.report import Renderer, pages
from recsys.benchmark.results import ModelDocument

CLEAR = (0.10, 0.11, 0.12, 0.10, 0.11)
NOISE = (0.10, -0.11, 0.12, -0.10, 0.01)
BASELINES = ("popularity", "bias", "item-knn", "ease")

Figures = Mapping[str, Sequence[float]]


@pytest.fixture
def measured(make_document: Callable[..., ModelDocument]) -> Callable[..., list[ModelDocument]]:
    """Documents of variants, from their figures a seed by one metric."""

    def make(protocol: str, found: Figures, metric: str = "ranking.ndcg@10", **more: float):
        documents = []
        for name, values in found.items():
            seeds = tuple(range(2020, 2020 + len(values)))
            of_model = name if name in BASELINES or "content" in name else "joint"
            document = make_document(protocol, of_model, 0.0, seeds=seeds)
            valid = "valid." + metric.partition(".")[2]
            runs = [
                run.model_copy(update={"metrics": {metric: v, valid: v, **more}})
                for run, v in zip(document.runs, values, strict=True)
            ]
            variant = "" if of_model == name else name.removeprefix("joint, ")
            documents.append(document.model_copy(update={"variant": variant, "runs": runs}))
        return documents

    return make


@pytest.fixture
def ablation(measured: Callable[..., list[ModelDocument]]) -> Callable[..., Ablation]:
    def make(found: Figures, protocol: str = "multitask-ml-ro", **more: str) -> Ablation:
        return Ablation.of(EVERY_PROTOCOL[protocol], wide(measured(protocol, found, **more)))

    return make


def shifted(differences: Sequence[float]) -> dict[str, list[float]]:
    """Two models whose figures differ by the given amounts."""
    base = [0.30, 0.35, 0.20, 0.25, 0.31]
    moved = [one + difference for one, difference in zip(base, differences, strict=True)]
    return {"base": base, "moved": moved}


def test_a_series_has_the_runs_that_all_models_have(ablation) -> None:
    found = ablation({"a": [0.1, 0.2, 0.3], "b": [0.3, 0.4]})
    series = found.series(["a", "b"], NDCG.path)
    assert list(series.index) == ["ro 2020", "ro 2021"]
    assert series.to_numpy() == pytest.approx([0.2, 0.3])
    assert not len(found.series(["a"], RMSE.path))
    assert found.multiples("b", ["a"]) == f"NDCG@10 of b as a multiple: {0.7 / 0.3:.2f} a."


def test_means_and_deviations_of_those_who_are_there(ablation) -> None:
    found = ablation({"a": [0.1, 0.3], "b": [0.4]}).figures(["b", "absent", "a"], [NDCG, RMSE])
    assert found == "| model | NDCG@10 |\n| --- | ---: |\n| b | 0.4000 |\n| a | 0.2000 ± 0.1414 |\n"


@pytest.mark.parametrize(("differences", "shown"), [(CLEAR, True), (NOISE, False)])
def test_a_difference_is_tested_run_by_run(ablation, differences, shown: bool) -> None:
    pairs = {"one": (["moved"], ["base"])}
    (tested,) = ablation(shifted(differences)).tests(pairs, [NDCG])
    assert tested.difference == pytest.approx(sum(differences) / 5)
    assert tested.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert tested.better == tested.shown == shown
    assert ("**" in str(tested)) == shown
    assert bool(findings([tested])) == shown


def test_p_is_corrected_over_the_rows_of_a_table(ablation) -> None:
    found, pair = ablation(shifted(CLEAR)), (["moved"], ["base"])
    family = {"one": pair, "two": pair, "three": pair, "absent": (["moved"], ["nobody"])}
    alone = found.tests({"one": pair}, [NDCG])[0].p
    tested = found.tests(family, [NDCG, RMSE])
    assert [test.label for test in tested] == ["one", "two", "three"]
    assert [test.p for test in tested] == pytest.approx([3 * alone] * 3)


def test_lower_is_better_where_it_is(ablation) -> None:
    found = ablation(shifted(CLEAR), "multitask-ml-u1", metric=RMSE.path)
    pairs = {"up": (["moved"], ["base"]), "down": (["base"], ["moved"])}
    up, down = found.tests(pairs, [RMSE])
    assert (up.better, down.better) == (False, True)
    first, second = findings([up, down])
    assert first.startswith("up: worse in RMSE by 0.1080 (p = ")
    assert second.startswith("down: better in RMSE by 0.1080 (p = ")


def test_the_best_is_chosen_on_valid(make_document) -> None:
    values = {"fs-sum": (0.9, 0.1), "fs-gated": (0.1, 0.2), "text alone": (0.1, 0.3)}
    documents = []
    for name, (on_test, on_valid) in values.items():
        document = make_document("multitask-ml-cold", "joint", 0.0, seeds=(2020,))
        metrics = {"ranking.ndcg@10": on_test, "valid.ndcg@10": on_valid}
        runs = [document.runs[0].model_copy(update={"metrics": metrics})]
        documents.append(document.model_copy(update={"variant": name, "runs": runs}))
    found = Ablation.of(EVERY_PROTOCOL["multitask-ml-cold"], wide(documents))
    assert found.best(["fs-sum", "fs-gated"]) == "fs-gated"
    assert found.best(["nobody"]) is None


def test_a_subset_of_the_reference_is_a_row_of_its_own(make_document, tmp_path) -> None:
    document = make_document("multitask-ml-ro", "joint", 0.0, seeds=(2020,))
    run = document.runs[0].model_copy(
        update={"metrics": {NDCG.path: 0.3}, "views": {"subset: audio + text": {NDCG.path: 0.2}}}
    )
    of_reference = document.model_copy(update={"variant": REFERENCE, "runs": [run]})
    found = Ablation.of(EVERY_PROTOCOL["multitask-ml-ro"], wide([of_reference]))
    assert found.present() == [REFERENCE, "subset: audio + text"]
    assert "| audio + text | 0.2000 |" in pages([of_reference], [], tmp_path)["MULTITASK.md"]


def test_seconds_an_epoch(make_document) -> None:
    document = make_document("multitask-ml-ro", "joint", 0.0, seeds=(2020,))
    metrics = {"seconds.fit": 10.0, "epochs": 4.0, NDCG.path: 0.3}
    runs = [document.runs[0].model_copy(update={"metrics": metrics})]
    made = document.model_copy(update={"variant": REFERENCE, "runs": runs})
    found = Ablation.of(EVERY_PROTOCOL["multitask-ml-ro"], wide([made]))
    assert found.mean(REFERENCE, "seconds.epoch") == 2.5


def test_the_page_of_a_part_of_the_results(measured, tmp_path) -> None:
    pytest.importorskip("jinja2", reason="the bench extra")
    figures = {
        "fs-sum": [0.6 + step for step in CLEAR],
        "text alone": [0.2 + step for step in NOISE],
        "content-knn": [0.3] * 5,
        "content-knn:text": [0.2] * 5,
    }
    documents = measured("multitask-ml-cold", figures)
    whole = pages(documents, [], tmp_path)["MULTITASK.md"]
    assert "## MovieLens-100K, movies nobody has rated\n\nSeeds 2020, 2021" in whole
    assert "### The best on valid: fs-sum, NDCG@10 0.7080 on test, modality by modality" in whole
    assert "- fs-sum against text alone: better in NDCG@10 by 0.5040 (p = " in whole
    assert "NDCG@10 of fs-sum as a multiple: 2.36 content-knn, 3.54 content-knn:text." in whole


def test_the_plain_model_is_compared_with_every_other(measured) -> None:
    figures = {"joint, ": shifted(CLEAR)["moved"], "ease": shifted(CLEAR)["base"]}
    documents = measured("spine-ro", figures)
    found = Ablation.of(EVERY_PROTOCOL["spine-ro"], wide(documents))
    assert found.present() == ["joint", "ease"]
    row = Renderer(documents, []).table("versus_ours", found, NDCG).splitlines()[2]
    assert row.startswith("| ease | +0.1080 | ")
    assert row.endswith(" | better |")


def test_the_readme_has_no_table_of_what_was_not_measured(measured) -> None:
    assert of_readme(measured("spine-ro", {"ease": [0.3]})) is None


def test_p_values_have_two_digits() -> None:
    assert [p_value(p) for p in (0.5, 0.0123, 1.2345e-7)] == ["0.50", "0.012", "1.2e-07"]
