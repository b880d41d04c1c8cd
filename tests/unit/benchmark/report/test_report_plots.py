from __future__ import annotations

import pytest

from recsys.benchmark.leaderboard import leaderboards
from recsys.benchmark.plots import frontier, near_the_best, plot_cost
from recsys.benchmark.report import write_report
from recsys.benchmark.results import read
from recsys.errors import ConfigError


def add_some(bench) -> None:
    bench.add("ml-ro", "joint", 0.35, family="ours", fit=60.0)
    bench.add("ml-ro", "ease", 0.32, fit=0.0)
    bench.add("ml-ro", "popularity", 0.14, family="something else")


def test_models_that_another_beats_in_both_are_not_named(bench) -> None:
    add_some(bench)
    bench.add("ml-ro", "slow", 0.30, fit=90.0)
    (found,) = leaderboards(read(bench.folder))
    assert [row.name for row in frontier(found)] == ["joint", "ease"]


def test_pages_and_plots_are_the_same_bytes_again(bench, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    add_some(bench)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "README.md").write_text("<!-- bench:start --><!-- bench:end -->")
    first = write_report(bench.folder, tmp_path / "a" / "benchmarks")
    again = write_report(bench.folder, tmp_path / "b" / "benchmarks")
    names = [path.relative_to(tmp_path / "a").as_posix() for path in first]
    assert names == [
        "benchmarks/REPORT.md",
        "benchmarks/CHOOSING.md",
        "benchmarks/protocols/ml-ro.md",
        "benchmarks/plots/ml-ro-warm-cost.svg",
        "benchmarks/plots/ml-ro-warm-differences.svg",
        "README.md",
    ]
    same = zip(first, again, strict=False)
    assert all(one.read_bytes() == two.read_bytes() for one, two in same)
    assert len(again) == len(first) - 1
    page = first[2].read_text(encoding="utf-8")
    assert all(f"../plots/{path.name}" in page for path in first if path.suffix == ".svg")


def test_a_plot_says_nothing_of_the_day(bench, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    add_some(bench)
    (found,) = leaderboards(read(bench.folder))
    plot_cost(found, tmp_path / "cost.svg")
    assert "<dc:date>" not in (tmp_path / "cost.svg").read_text(encoding="utf-8")


def test_who_is_far_away_gets_no_interval(bench) -> None:
    add_some(bench)
    (found,) = leaderboards(read(bench.folder))
    assert [row.name for row, _ in near_the_best(found)] == ["joint", "ease"]


def test_without_matplotlib_the_extra_is_named(bench, tmp_path, monkeypatch) -> None:
    add_some(bench)
    monkeypatch.setattr("recsys.benchmark.plots.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"recsys\[bench\]"):
        write_report(bench.folder, tmp_path / "out")
