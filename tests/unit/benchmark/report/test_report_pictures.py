from __future__ import annotations

import itertools
import random

import pytest
from recsys.benchmark.report.analysis import analyse
from recsys.benchmark.report.labels import Box, arranged
from recsys.benchmark.report.load import load_results
from recsys.benchmark.report.plots import near_the_best, plot_cost

from recsys.benchmark.report import write_report
from recsys.errors import ConfigError


def add_some(bench) -> None:
    bench.add("ml-ro", "joint", 0.35, family="ours", fit=60.0)
    bench.add("ml-ro", "ease", 0.32, fit=0.0)
    bench.add("ml-ro", "popularity", 0.14, family="something else")


@pytest.mark.parametrize("seed", range(5))
def test_names_lie_on_no_name_and_no_point(seed) -> None:
    drawn = random.Random(seed)
    anchors = [(drawn.uniform(50, 550), drawn.uniform(50, 350)) for _ in range(25)]
    sizes = [(drawn.uniform(20, 90), 9.0) for _ in anchors]
    bounds = Box(0, 0, 600, 400)
    boxes = []
    for (x, y), (width, height), place in zip(
        anchors, sizes, arranged(anchors, sizes, bounds), strict=True
    ):
        left, bottom = x + place.dx, y + place.dy
        boxes.append(Box(left, bottom, left + width, bottom + height))
    assert all(one.overlap(two) == 0 for one, two in itertools.combinations(boxes, 2))
    points = [Box(x - 3, y - 3, x + 3, y + 3) for x, y in anchors]
    assert all(box.overlap(point) == 0 for box in boxes for point in points)
    assert all(box.overlap(bounds) == pytest.approx(box.area) for box in boxes)


def test_a_name_that_might_be_read_as_that_of_another_point_has_a_line() -> None:
    crowd = [(100.0 + 4 * n, 100.0) for n in range(6)]
    places = arranged(crowd, [(60.0, 9.0)] * 6, Box(0, 0, 400, 200))
    assert any(place.far for place in places)
    (alone,) = arranged([(100.0, 100.0)], [(60.0, 9.0)], Box(0, 0, 400, 200))
    assert not alone.far


def test_pages_and_pictures_are_the_same_bytes_again(bench, tmp_path) -> None:
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


def test_a_picture_says_nothing_of_the_day(bench, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    add_some(bench)
    (found,) = analyse(load_results(bench.folder)[0])
    plot_cost(found, tmp_path / "cost.svg")
    assert "<dc:date>" not in (tmp_path / "cost.svg").read_text(encoding="utf-8")


def test_who_is_far_away_gets_no_interval(bench) -> None:
    add_some(bench)
    (found,) = analyse(load_results(bench.folder)[0])
    assert [standing.name for standing, _ in near_the_best(found)] == ["joint", "ease"]


def test_without_matplotlib_the_extra_is_named(bench, tmp_path, monkeypatch) -> None:
    add_some(bench)
    monkeypatch.setattr("recsys.benchmark.report.plots.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"recsys\[bench\]"):
        write_report(bench.folder, tmp_path / "out")
