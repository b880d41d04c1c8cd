"""Plots of a leaderboard: quality against cost, and differences with their intervals.

The same documents give the same bytes under one version of matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from recsys.benchmark.comparisons import Comparison
from recsys.benchmark.leaderboard import OURS, Leaderboard, Row
from recsys.data.files import atomic_write
from recsys.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind can tell apart.
_LOOKS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ours": ("#D55E00", "*"),
        "classic": ("#009E73", "o"),
        "library": ("#0072B2", "s"),
        "recbole": ("#CC79A7", "^"),
        "neural": ("#E69F00", "D"),
    }
)
_OTHER: Final = ("#555555", "o")
SHOWN_WITHIN: Final = 0.25
"""Models are drawn with an interval if they are no farther from the best than this share."""
FASTEST: Final = 0.01
"""Seconds; quicker fits are drawn there, as a logarithm has no zero."""
_STYLE: Final[Mapping[str, Any]] = MappingProxyType(
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


def plot_cost(board: Leaderboard, path: Path) -> None:
    """Headline metric against seconds of fitting, a point a model; named is who is worth its cost.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    named = {row.name for row in frontier(board)} | {OURS}
    with _figure(path, (9.0, 6.0)) as figure:
        axes = figure.subplots()
        axes.set_xscale("log")
        for row in board.rows:
            x, (colour, marker, size) = _seconds(row), _look(row.document.family)
            axes.scatter([x], [row.mean], color=colour, marker=marker, s=size, zorder=3)
            if row.name in named:
                axes.annotate(
                    row.name,
                    (x, row.mean),
                    (0, 8),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                )
        axes.margins(x=0.18, y=0.08)
        _describe(axes, board, "quality and cost")
        axes.set_xlabel(
            "seconds of fitting, one thread (logarithmic); named is who no other beats in both"
        )
        axes.set_ylabel(f"{board.headline.title}, the better the higher up")
        if board.headline.sign < 0:
            axes.invert_yaxis()
        families = {row.document.family for row in board.rows}
        for family in [*(f for f in _LOOKS if f in families), *sorted(families - set(_LOOKS))]:
            colour, marker, _ = _look(family)
            axes.scatter([], [], color=colour, marker=marker, label=family)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=5, frameon=False)


def frontier(board: Leaderboard) -> list[Row]:
    """Models of which no other is both better and faster to fit, the best first."""
    found: list[Row] = []
    for row in board.rows:
        if not found or _seconds(row) < _seconds(found[-1]):
            found.append(row)
    return found


def plot_differences(board: Leaderboard, path: Path) -> None:
    """Difference of each model to the best, with its interval over users.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    drawn = near_the_best(board)
    far = len(board.rows) - len(drawn)
    with _figure(path, (9.0, 1.6 + 0.3 * max(len(drawn), 2))) as figure:
        axes = figure.subplots()
        axes.axvline(0, color="#555555", linewidth=1)
        for place, (row, comparison) in enumerate(drawn):
            _interval(axes, place, row, comparison)
        axes.set_yticks(range(len(drawn)), [row.name for row, _ in drawn])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        _describe(axes, board, f"differences to {board.best.name}")
        more = f"; {far} beyond {SHOWN_WITHIN * 100:.0f} % left out" if far else ""
        axes.set_xlabel(
            f"{board.headline.title}, 95 % interval over users; "
            f"filled where a difference is shown{more}"
        )


def near_the_best(board: Leaderboard) -> list[tuple[Row, Comparison | None]]:
    """The models that the second plot shows, each with the best's comparison with it."""
    best = board.best
    reach = SHOWN_WITHIN * abs(best.mean)
    near = [row for row in board.rows if abs(row.mean - best.mean) <= reach]
    return [(row, board.versus(best.name, row.name)) for row in near]


def _interval(axes: Axes, place: int, row: Row, comparison: Comparison | None) -> None:
    colour, marker, size = _look(row.document.family)
    value = 0.0 if comparison is None else -comparison.difference
    if comparison is not None and comparison.interval is not None:
        low, high = comparison.interval
        axes.plot([-high, -low], [place, place], color=colour, linewidth=2, zorder=2)
    shown = comparison is None or comparison.verdict != "no difference shown"
    face = colour if shown else "white"
    axes.scatter(
        [value], [place], marker=marker, s=size, facecolor=face, edgecolor=colour, zorder=3
    )


def _seconds(row: Row) -> float:
    return FASTEST if math.isnan(row.fit) else max(row.fit, FASTEST)


def _look(family: str) -> tuple[str, str, float]:
    colour, marker = _LOOKS.get(family, _OTHER)
    return colour, marker, 130.0 if family == "ours" else 42.0


def _describe(axes: Axes, board: Leaderboard, what: str) -> None:
    title = f"{board.protocol.title}: {what}\n{board.protocol.name}, {board.task}"
    axes.set_title(title, loc="left", fontsize=10)


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
