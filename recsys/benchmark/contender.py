"""What takes part in a benchmark: a model under a name, and what may be tuned of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Protocol, runtime_checkable

from recsys.data.interactions import Interactions
from recsys.queries.query import RatingPredictor, Recommender

Value = bool | int | float | str | None
Options = Mapping[str, Value]
"""One point of a search space, as it is written to a results file."""

Model = Recommender | RatingPredictor
Family = Literal["ours", "classic", "library", "recbole", "neural", "oracle"]
Task = Literal["warm", "rating", "cold", "fold-in"]

DOCUMENTED = "its documentation"
CONSTRUCTED = "a construction of ours"
"""In what a contender is: nobody has published it."""


@runtime_checkable
class Oracle(Protocol):
    """A model that is shown what it should have predicted."""

    def see(self, test: Interactions) -> None:
        """Take in the test ratings."""
        ...


class Account(Protocol):
    """What a fit in another process came to.

    Attributes:
        fit_seconds: of fitting, without starting the process.
        score_seconds: of scoring all users once.
        parameters: numbers learnt.
        epochs: passes over the training part.
        reference: "ndcg@10", ... by the other program's own evaluator, on the test ratings that it
            was given after it was fitted, of the same scores.
        native: the same of scores as that program would have ranked them by itself.
    """

    fit_seconds: float
    score_seconds: float
    parameters: int
    epochs: int
    reference: Mapping[str, float]
    native: Mapping[str, float]


@dataclass(frozen=True)
class Contender:
    """A model that is measured.

    Attributes:
        name: of its rows.
        family: where it comes from.
        tasks: what it can be judged on: ranking movies that were rated, stars, movies that nobody
            rated, and users who were not there in training.
        about: what it is, what it is told besides ratings, and whose it is: a line.
        make: a fresh model from options and a seed.
        space: the options that are tried, in this order, as far as the budget goes; the first is
            the default. A model without anything to tune has one.
        source: where the space is documented.
        first_point: where the space's first point comes from, with the number of settings of an
            earlier search of ours where it was counted.
        random: whether the seed matters to the fitted model.
        requires: a module that must be importable, or None.
        stops_early: whether fitting looks at valid. One that does not may be given valid's ratings
            to learn from, where its protocol has that, once its options are chosen.
        modality: the modality it looks at alone, which movies must have; None for any or none.
        settings: what decides its numbers besides the options, as text; it is part of what makes
            two measurements the same.
        sees_test: an oracle: its ``see`` is given the test ratings before it is asked. What it
            reaches is shown apart.
        fits_elsewhere: it is fitted by another program in a process of its own. Its ``fit`` takes
            ``test=`` as well, for what that program makes of the fitted model; its ``report`` is an
            ``Account``.
    """

    name: str
    family: Family
    tasks: frozenset[Task]
    make: Callable[[Options, int], Model]
    space: tuple[Options, ...] = ({},)
    source: str = ""
    about: str = ""
    first_point: str = DOCUMENTED
    random: bool = False
    requires: str | None = None
    stops_early: bool = False
    modality: str | None = None
    settings: Callable[[], str] | None = None
    sees_test: bool = False
    fits_elsewhere: bool = False

    @property
    def is_available(self) -> bool:
        """Whether what it requires is installed."""
        return self.requires is None or find_spec(self.requires) is not None


def grid(**choices: tuple[Value, ...]) -> tuple[Options, ...]:
    """Every combination; the last option changes fastest.

    >>> grid(a=(1, 2), b=("x",))
    ({'a': 1, 'b': 'x'}, {'a': 2, 'b': 'x'})
    """
    points: list[dict[str, Value]] = [{}]
    for name, values in choices.items():
        points = [{**point, name: value} for point in points for value in values]
    return tuple(points)


def around(**choices: tuple[Value, ...]) -> tuple[Options, ...]:
    """Every combination, those nearest to the first choices first.

    A budget seldom reaches the end of a grid. In a grid's own order it would be spent on the last
    option alone; here one option at a time leaves its first choice, then two, and so on.

    >>> [tuple(point.values()) for point in around(a=(1, 2), b=(3, 4))]
    [(1, 3), (1, 4), (2, 3), (2, 4)]
    >>> [tuple(point.values()) for point in around(a=(1, 2), b=(3, 4, 5))][:4]
    [(1, 3), (1, 4), (2, 3), (1, 5)]
    """

    def distance(point: Options) -> tuple[int, int]:
        steps = [values.index(point[name]) for name, values in choices.items()]
        return sum(step > 0 for step in steps), sum(steps)

    return tuple(sorted(grid(**choices), key=distance))
