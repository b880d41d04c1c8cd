"""Pictures of an analysis: quality against cost, and differences with their intervals.

The same documents give the same bytes under one version of matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from recsys.benchmark.report.analysis import Analysis, Standing, mean_of
from recsys.benchmark.report.labels import Label, Place, placed
from recsys.benchmark.report.metric import FIT_SECONDS
from recsys.benchmark.report.statistics import Comparison
from recsys.data.files import atomic_write
from recsys.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "ours": "#D55E00",
        "classic": "#009E73",
        "library": "#0072B2",
        "recbole": "#CC79A7",
        "neural": "#E69F00",
    }
)
MARKERS: Mapping[str, str] = MappingProxyType(
    {"ours": "*", "classic": "o", "library": "s", "recbole": "^", "neural": "D"}
)
OTHER_COLOUR, OTHER_MARKER = "#555555", "o"
SHOWN_WITHIN = 0.25
"""Contenders are drawn with an interval if they are no farther from the best than this share."""
_LABEL_SIZE = 8.0
FASTEST = 0.01
"""Seconds; quicker fits are drawn there, as a logarithm has no zero."""
_STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "svg.hashsalt": "recsys",
        "svg.fonttype": "path",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e5e5e5",
        "axes.axisbelow": True,
        "figure.dpi": 100,
    }
)


def plot_cost(analysis: Analysis, path: Path) -> None:
    """Headline metric against seconds of fitting, a point a contender.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    with _figure(path, (9.0, 6.0)) as figure:
        axes = figure.subplots()
        axes.set_xscale("log")
        found = [(*_point(standing), standing) for standing in analysis.standings]
        for x, y, standing in found:
            colour, marker, size = _look(standing)
            axes.scatter([x], [y], color=colour, marker=marker, s=size, zorder=3)
        axes.margins(x=0.18, y=0.08)
        _describe(axes, analysis, f"{analysis.title}: quality and cost")
        axes.set_xlabel("seconds of fitting, one thread (logarithmic)")
        axes.set_ylabel(f"{analysis.headline.title}, the better the higher up")
        if not analysis.headline.higher_is_better:
            axes.invert_yaxis()
        _legend(axes, analysis)
        labels = [Label(standing.name, x, y) for x, y, standing in found]
        for label, place in zip(labels, placed(axes, labels, _LABEL_SIZE), strict=True):
            _write(axes, label, place)


def plot_differences(analysis: Analysis, path: Path) -> None:
    """Difference of each contender to the best, with its interval over users.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    drawn = near_the_best(analysis)
    far = len(analysis.standings) - len(drawn)
    with _figure(path, (9.0, 1.6 + 0.3 * max(len(drawn), 2))) as figure:
        axes = figure.subplots()
        axes.axvline(0, color="#555555", linewidth=1)
        for row, (standing, comparison) in enumerate(drawn):
            _interval(axes, row, standing, comparison)
        axes.set_yticks(range(len(drawn)), [standing.name for standing, _ in drawn])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        _describe(axes, analysis, f"{analysis.title}: differences to {analysis.best.name}")
        more = f"; {far} beyond {SHOWN_WITHIN * 100:.0f} % left out" if far else ""
        axes.set_xlabel(
            f"{analysis.headline.title}, 95 % interval over users; "
            f"filled where a difference is shown{more}"
        )


def near_the_best(analysis: Analysis) -> list[tuple[Standing, Comparison | None]]:
    """The contenders that the second picture shows, each with the best's comparison with it."""
    best = analysis.best
    reach = SHOWN_WITHIN * abs(best.mean)
    return [
        (standing, analysis.versus(best.name, standing.name))
        for standing in analysis.standings
        if abs(standing.mean - best.mean) <= reach
    ]


def _interval(axes: Axes, row: int, standing: Standing, comparison: Comparison | None) -> None:
    colour, marker, size = _look(standing)
    value = 0.0 if comparison is None else -comparison.difference
    if comparison is not None and comparison.interval is not None:
        low, high = comparison.interval
        axes.plot([-high, -low], [row, row], color=colour, linewidth=2, zorder=2)
    shown = comparison is None or comparison.verdict != "no difference shown"
    face = colour if shown else "white"
    axes.scatter([value], [row], marker=marker, s=size, facecolor=face, edgecolor=colour, zorder=3)


def _point(standing: Standing) -> tuple[float, float]:
    fit = mean_of(standing.document, FIT_SECONDS)[0]
    return (FASTEST if math.isnan(fit) else max(fit, FASTEST)), standing.mean


def _look(standing: Standing) -> tuple[str, str, float]:
    family = standing.document.family
    size = 130.0 if family == "ours" else 42.0
    return COLOURS.get(family, OTHER_COLOUR), MARKERS.get(family, OTHER_MARKER), size


def _legend(axes: Axes, analysis: Analysis) -> None:
    seen = {standing.document.family: standing for standing in analysis.standings}
    for family in [*(f for f in COLOURS if f in seen), *sorted(set(seen) - set(COLOURS))]:
        colour, marker, _ = _look(seen[family])
        axes.scatter([], [], color=colour, marker=marker, label=family)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=5, frameon=False)


def _describe(axes: Axes, analysis: Analysis, title: str) -> None:
    axes.set_title(f"{title}\n{analysis.protocol}, {analysis.task}", loc="left", fontsize=10)


def _write(axes: Axes, label: Label, place: Place) -> None:
    line = {"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
    axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=(place.dx, place.dy),
        textcoords="offset points",
        ha="left",
        va="bottom",
        fontsize=_LABEL_SIZE,
        arrowprops=line if place.far else None,
        zorder=4,
    )


@contextmanager
def _figure(path: Path, size: tuple[float, float]) -> Iterator[Figure]:
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "bench")
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: Any = dict(_STYLE)  # the names of its keys are typed, and new versions add some
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with atomic_write(path) as temporary:
            kind = path.suffix.removeprefix(".")
            metadata = {"Date": None} if kind == "svg" else {}
            figure.savefig(temporary, format=kind, metadata=metadata)
