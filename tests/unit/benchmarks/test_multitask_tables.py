"""Tables, tests and sentences follow from invented rows as arithmetic says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scipy import stats

from recsys.evaluation.environment import Hardware
from recsys.evaluation.report import ResultRow, ResultsDocument, Seconds, SplitReference

Module = Callable[[str], ModuleType]

CLEAR = (0.10, 0.11, 0.12, 0.10, 0.11)
NOISE = (0.10, -0.11, 0.12, -0.10, 0.01)


def row(model: str, **given: Any) -> ResultRow:
    seconds = given.pop("seconds", Seconds(fit=10.0, score=1.0))
    return ResultRow(model=model, seed=None, seconds=seconds, n_users=5, **given)


def document(rows: Sequence[ResultRow]) -> ResultsDocument:
    return ResultsDocument(
        created=date(2024, 5, 6),
        versions={"python": "3"},
        hardware=Hardware(cpu="a processor", cores=2, threads=1, memory_gib=None),
        dataset="d",
        split=SplitReference(name="ro", seed=2020, fingerprint="f"),
        config="c",
        rows=list(rows),
    )


def ndcg(found: Mapping[str, Sequence[float]]) -> list[list[ResultRow]]:
    """Model to its figure a seed, as rows a seed."""
    counts = range(max(map(len, found.values())))
    return [
        [
            row(name, ranking={"ndcg@10": v[n], "recall@10": 0.5}, valid={"ndcg@10": v[n]})
            for name, v in found.items()
            if n < len(v)
        ]
        for n in counts
    ]


def save(folder: Path, protocol: str, seeds: Sequence[Sequence[ResultRow]]) -> None:
    for seed, rows in enumerate(seeds, start=2020):
        document(rows).save(folder / f"multitask-{protocol}-{seed}.json")


def shifted(differences: Sequence[float]) -> dict[str, list[float]]:
    """Two models whose figures differ by the given amounts."""
    base = [0.30, 0.35, 0.20, 0.25, 0.31]
    moved = [one + difference for one, difference in zip(base, differences, strict=True)]
    return {"base": base, "moved": moved}


def test_runs_are_found_by_protocol_and_seed(multitask: Module, tmp_path: Path) -> None:
    tables = multitask("tables")
    save(tmp_path, "ml-ro", ndcg({"a": [0.1, 0.2]}))
    save(tmp_path, "ml-ro-else", ndcg({"a": [0.9]}))
    (tmp_path / "multitask-ml-ro-2020.json.part").write_text("{")
    runs = tables.load(tmp_path, "ml-ro")
    assert [run.seed for run in runs] == [2020, 2021]
    assert tables.series(runs, ["a"], "ranking.ndcg@10") == {2020: 0.1, 2021: 0.2}


def test_a_series_has_the_seeds_that_all_models_have(multitask: Module, tmp_path: Path) -> None:
    tables = multitask("tables")
    save(tmp_path, "ml-ro", ndcg({"a": [0.1, 0.2, 0.3], "b": [0.3, 0.4]}))
    runs = tables.load(tmp_path, "ml-ro")
    found = tables.series(runs, ["a", "b"], "ranking.ndcg@10")
    assert found == pytest.approx({2020: 0.2, 2021: 0.3})
    assert tables.series(runs, ["a"], "rating.rmse") == {}
    assert tables.ratio(runs, "b", "a", "ranking.ndcg@10") == pytest.approx(0.7 / 0.3)


def test_seconds_an_epoch(multitask: Module) -> None:
    tables = multitask("tables")
    assert tables.value(row("a", epochs=4), tables.EPOCH.path) == 2.5
    assert tables.value(row("a", parameters=7), tables.PARAMETERS.path) == 7
    assert tables.value(row("a"), tables.EPOCH.path) != tables.value(row("a"), tables.FIT.path)


def test_means_and_deviations(multitask: Module, tmp_path: Path) -> None:
    tables = multitask("tables")
    save(tmp_path, "ml-ro", ndcg({"a": [0.1, 0.3], "b": [0.4]}))
    found = tables.figures(
        tables.load(tmp_path, "ml-ro"), ["b", "absent", "a"], [tables.NDCG, tables.RMSE]
    )
    assert found == (
        "| model | NDCG@10 |\n| --- | ---: |\n| b | 0.4000 |\n| a | 0.2000 ± 0.1414 |\n"
    )


@pytest.mark.parametrize(("differences", "shown"), [(CLEAR, True), (NOISE, False)])
def test_a_difference_is_tested_seed_by_seed(
    multitask: Module, tmp_path: Path, differences: Sequence[float], shown: bool
) -> None:
    tables = multitask("tables")
    save(tmp_path, "ml-ro", ndcg(shifted(differences)))
    runs = tables.load(tmp_path, "ml-ro")
    (tested,) = tables.tests(runs, {"one": (["moved"], ["base"])}, [tables.NDCG])
    assert tested.n == 5
    assert tested.difference == pytest.approx(sum(differences) / 5)
    assert tested.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert tested.better == tested.shown == shown


def test_p_is_corrected_over_the_rows_of_a_table(multitask: Module, tmp_path: Path) -> None:
    tables = multitask("tables")
    save(tmp_path, "ml-ro", ndcg(shifted(CLEAR)))
    runs = tables.load(tmp_path, "ml-ro")
    pair = (["moved"], ["base"])
    family = {"one": pair, "two": pair, "three": pair, "absent": (["moved"], ["nobody"])}
    alone = tables.tests(runs, {"one": pair}, [tables.NDCG])[0].p
    tested = tables.tests(runs, family, [tables.NDCG, tables.RMSE])
    assert [test.label for test in tested] == ["one", "two", "three"]
    assert [test.p for test in tested] == pytest.approx([3 * alone] * 3)


def test_lower_is_better_where_it_is(multitask: Module, tmp_path: Path) -> None:
    tables, findings = multitask("tables"), multitask("findings")
    figures = shifted(CLEAR)
    seeds = [
        [row(name, rating={"rmse": values[n]}) for name, values in figures.items()]
        for n in range(5)
    ]
    save(tmp_path, "ml-u1", seeds)
    runs = tables.load(tmp_path, "ml-u1")
    pairs = {"up": (["moved"], ["base"]), "down": (["base"], ["moved"])}
    up, down = tables.tests(runs, pairs, [tables.RMSE])
    assert (up.better, down.better) == (False, True)
    first, second = findings.sentences([up, down]).splitlines()
    assert first.startswith("- up: worse in RMSE by 0.1080 (p = ")
    assert second.startswith("- down: better in RMSE by 0.1080 (p = ")


def test_what_is_not_shown_is_said_to_be_so(multitask: Module, tmp_path: Path) -> None:
    tables, findings = multitask("tables"), multitask("findings")
    save(tmp_path, "ml-ro", ndcg(shifted(NOISE)))
    runs = tables.load(tmp_path, "ml-ro")
    tested = tables.tests(runs, {"SP against FS": (["moved"], ["base"])}, [tables.NDCG])
    p = tables.number(stats.ttest_1samp(NOISE, 0).pvalue)
    said = f"- No difference shown in NDCG@10: SP against FS (p = {p}).\n"
    assert findings.sentences(tested) == said
    assert "**" not in tables.differences(tested)


def test_the_best_is_chosen_on_valid(multitask: Module, tmp_path: Path) -> None:
    findings, plan, tables = (multitask(name) for name in ("findings", "plan", "tables"))
    rows = [
        row("fs-sum", ranking={"ndcg@10": 0.9}, valid={"ndcg@10": 0.1, "rmse": 1.0}),
        row("fs-gated", ranking={"ndcg@10": 0.1}, valid={"ndcg@10": 0.2, "rmse": 1.1}),
        row("text alone", ranking={"ndcg@10": 0.1}, valid={"ndcg@10": 0.3, "rmse": 0.1}),
    ]
    save(tmp_path, "ml-cold", [rows, rows[:1]])
    runs = tables.load(tmp_path, "ml-cold")
    best = {n: findings.chosen(runs, p, findings.CANDIDATES) for n, p in plan.PROTOCOLS.items()}
    assert (best["ml-cold"], best["ml-u1"]) == ("fs-gated", "fs-sum")
    assert findings.chosen(runs, plan.PROTOCOLS["ml-cold"], ["nobody"]) is None


def cold_results(ours: float) -> list[list[ResultRow]]:
    figures = {
        "fs-sum": [ours + step for step in CLEAR],
        "text alone": [0.2 + step for step in NOISE],
        "poster alone": [0.1 + step for step in NOISE],
        "content-knn": [0.3] * 5,
        "content-knn:text": [0.2] * 5,
    }
    return ndcg(figures)


@pytest.mark.parametrize(("ours", "verdicts"), [(0.6, ["yes", "yes"]), (0.2, ["**no**"] * 2)])
def test_claims_about_cold_movies(
    multitask: Module, tmp_path: Path, ours: float, verdicts: list[str]
) -> None:
    findings, plan, tables = (multitask(name) for name in ("findings", "plan", "tables"))
    save(tmp_path, "ml-cold", cold_results(ours))
    runs = {"ml-ro": [], "ml-cold": tables.load(tmp_path, "ml-cold")}
    found = findings.claims(runs, {"ml-cold": plan.PROTOCOLS["ml-cold"]}).splitlines()[2:]
    assert [line.split(" | ")[-1].removesuffix(" |") for line in found] == verdicts
    assert f"{(ours + sum(CLEAR) / 5) / 0.3:.2f} times content-knn, fs-sum" in found[0]


@pytest.mark.parametrize(("covered", "verdict"), [(0.785, "yes"), (0.77, "**no**")])
def test_claims_about_uncertainty(
    multitask: Module, tmp_path: Path, covered: float, verdict: str
) -> None:
    findings, plan, tables = (multitask(name) for name in ("findings", "plan", "tables"))
    pit = {"pit_50": 0.51, "pit_80": covered, "pit_90": 0.90}
    seeds = [
        [
            row(
                "fs-sum", rating={"rmse": 0.91, "level_nll": 1.2 + n / 50, **pit}, valid={"rmse": 1}
            ),
            row("fs-sum, one σ", rating={"rmse": 0.92, "level_nll": 1.3 + n / 40, **pit}),
        ]
        for n in range(5)
    ]
    save(tmp_path, "ml-u1", seeds)
    runs = {"ml-ro": [], "ml-u1": tables.load(tmp_path, "ml-u1")}
    table = findings.claims(runs, {"ml-u1": plan.PROTOCOLS["ml-u1"]})
    rmse, intervals, nll = table.splitlines()[2:]
    assert rmse.endswith("| 0.9100, fs-sum | yes |")
    assert f"80 % by {100 * (covered - 0.8):+.1f} points" in intervals
    assert intervals.endswith(f"| {verdict} |")
    assert nll.endswith("| yes |")


def test_a_report_of_a_part_of_the_results(multitask: Module, tmp_path: Path) -> None:
    report = multitask("report").report
    assert report(tmp_path).startswith("# ")
    save(tmp_path, "ml-cold", cold_results(0.6)[:1])
    one = report(tmp_path)
    assert "## MovieLens-100K, movies nobody has rated\n\nSeeds 2020; `training.epochs=40`" in one
    assert "text alone" not in one.partition("## MovieLens")[0]
    save(tmp_path, "ml-cold", cold_results(0.6))
    whole = report(tmp_path)
    assert "### The best on valid: fs-sum, NDCG@10 0.7080 on test, modality by modality" in whole
    assert "- fs-sum against text alone: better in NDCG@10 by 0.5040 (p = " in whole
    assert "NDCG@10 of fs-sum as a multiple: 2.36 content-knn, 3.54 content-knn:text." in whole
