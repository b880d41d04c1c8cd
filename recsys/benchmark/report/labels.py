"""Where the names of points go, so that none lies upon another, upon a point, or upon a line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RADII = (7.0, 13.0, 20.0, 29.0, 40.0, 54.0, 70.0, 90.0, 115.0)
_ANGLES = (0, 180, 90, 270, *(a for a in range(15, 360, 15) if a % 90))
_POINT = 5.0
_AIR = 1.5
_STEP = 3.0
_MISREAD = 1.0
_NEAR = 9.0
"""Points of the page; a name no farther from its point needs no line."""


@dataclass(frozen=True)
class Label:
    """A name and the point it belongs to, in units of the axes."""

    text: str
    x: float
    y: float


class Place(NamedTuple):
    """Where a name goes.

    Attributes:
        dx: points of the page from its point to its lower left corner.
        dy: likewise upwards.
        far: whether a line must tell whose name it is.
    """

    dx: float
    dy: float
    far: bool


class Box(NamedTuple):
    """A rectangle, in points of the page."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Area in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Its area."""
        return (self.right - self.left) * (self.top - self.bottom)


Point = tuple[float, float]


def placed(axes: Axes, labels: Sequence[Label], fontsize: float) -> list[Place]:
    """A place for each label.

    One after the other, each takes the nearest place where it and its line lie on no other name,
    point or line and it is within the axes; where there is none, the place where it covers least.
    """
    figure: Any = axes.figure
    figure.canvas.draw()
    scale = 72 / figure.dpi
    anchors = [axes.transData.transform((label.x, label.y)) * scale for label in labels]
    frame = axes.get_window_extent()
    bounds = Box(frame.x0 * scale, frame.y0 * scale, frame.x1 * scale, frame.y1 * scale)
    sizes = [_size(axes, label.text, fontsize, scale) for label in labels]
    return arranged([(float(x), float(y)) for x, y in anchors], sizes, bounds)


def arranged(anchors: Sequence[Point], sizes: Sequence[Point], bounds: Box) -> list[Place]:
    """A place for the name of each point.

    Args:
        anchors: the points.
        sizes: width and height of their names.
        bounds: where names may be.
    """
    page = _Page(bounds, anchors, [_around(anchor, _POINT) for anchor in anchors])
    places = []
    for anchor, size in zip(anchors, sizes, strict=True):
        box = page.best(anchor, size)
        far = page.needs_line(anchor, box)
        page.taken.append(box)
        page.taken.extend(_line(anchor, box) if far else [])
        places.append(Place(box.left + _AIR - anchor[0], box.bottom + _AIR - anchor[1], far))
    return places


@dataclass
class _Page:
    """What is on it so far.

    Attributes:
        bounds: where names may be.
        anchors: all points.
        taken: what must not be covered: points, names and lines.
    """

    bounds: Box
    anchors: Sequence[Point]
    taken: list[Box]

    def best(self, anchor: Point, size: Point) -> Box:
        """The nearest place that costs nothing; where there is none, the cheapest."""
        cheapest, lowest = _box(anchor, (0.0, 0.0), size), math.inf
        for offset in _offsets(size):
            box = _box(anchor, offset, size)
            cost = self.cost(anchor, box)
            if cost < lowest:
                cheapest, lowest = box, cost
            if lowest == 0:
                break
        return cheapest

    def needs_line(self, anchor: Point, box: Box) -> bool:
        """Whether a name is far from its point, or might be read as that of another."""
        gap = _gap(anchor, box)
        others = (_gap(other, box) for other in self.anchors if other != anchor)
        return gap > _NEAR or any(other < gap + _AIR for other in others)

    def cost(self, anchor: Point, box: Box) -> float:
        """Area that would be covered or lie outside; 0 is free."""
        outside = box.area - box.overlap(self.bounds)
        covered = self._covered([box])
        if not self.needs_line(anchor, box):
            return covered + 4 * outside
        misread = 0.0 if _gap(anchor, box) > _NEAR else _MISREAD
        return covered + 4 * outside + misread + 10 * self._covered(_line(anchor, box))

    def _covered(self, boxes: Iterable[Box]) -> float:
        return math.fsum(box.overlap(other) for box in boxes for other in self.taken)


def _around(point: Point, reach: float) -> Box:
    return Box(point[0] - reach, point[1] - reach, point[0] + reach, point[1] + reach)


def _size(axes: Axes, text: str, fontsize: float, scale: float) -> Point:
    figure: Any = axes.figure
    drawn = axes.text(0, 0, text, fontsize=fontsize)
    extent = drawn.get_window_extent(figure.canvas.get_renderer())
    drawn.remove()
    return extent.width * scale, extent.height * scale


def _offsets(size: Point) -> Iterator[Point]:
    """Lower left corners around a point, the nearest first."""
    width, height = size
    for radius in _RADII:
        for angle in _ANGLES:
            x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            yield (radius * x + width * (x - 1) / 2, radius * y + height * (y - 1) / 2)


def _box(anchor: Point, offset: Point, size: Point) -> Box:
    left, bottom = anchor[0] + offset[0], anchor[1] + offset[1]
    return Box(left - _AIR, bottom - _AIR, left + size[0] + _AIR, bottom + size[1] + _AIR)


def _gap(anchor: Point, box: Box) -> float:
    """Distance of a point from a box."""
    x = max(box.left - anchor[0], anchor[0] - box.right, 0.0)
    y = max(box.bottom - anchor[1], anchor[1] - box.top, 0.0)
    return math.hypot(x, y)


def _line(anchor: Point, box: Box) -> list[Box]:
    """Small boxes along the line from a point to the middle of its name, as far as it is seen."""
    middle = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    steps = int(math.dist(anchor, middle) / _STEP)
    found = []
    for step in range(1, steps):
        share = step / steps
        x = anchor[0] + share * (middle[0] - anchor[0])
        y = anchor[1] + share * (middle[1] - anchor[1])
        inside = box.left < x < box.right and box.bottom < y < box.top
        if math.dist(anchor, (x, y)) > 2 * _POINT and not inside:
            found.append(_around((x, y), 1.0))
    return found
