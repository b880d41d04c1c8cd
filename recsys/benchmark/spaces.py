"""Search spaces: the configurations that are tried, in order."""

from __future__ import annotations

from collections.abc import Mapping

from recsys.recommenders.registry import parsed

Value = bool | int | float | str | None
HyperParameters = Mapping[str, Value]
"""One configuration of a search space, as it is written to a results file."""

Space = tuple[HyperParameters, ...]


def grid(**choices: tuple[Value, ...]) -> Space:
    """Every combination; the last hyper-parameter changes fastest.

    >>> grid(a=(1, 2), b=("x",))
    ({'a': 1, 'b': 'x'}, {'a': 2, 'b': 'x'})
    """
    found: list[dict[str, Value]] = [{}]
    for name, values in choices.items():
        found = [{**point, name: value} for point in found for value in values]
    return tuple(found)


def around(**choices: tuple[Value, ...]) -> Space:
    """Every combination, those nearest to the first choices first.

    A budget seldom reaches the end of a grid. In a grid's own order it would be spent on the last
    hyper-parameter alone; here one at a time leaves its first choice, then two, and so on.

    >>> [tuple(point.values()) for point in around(a=(1, 2), b=(3, 4))]
    [(1, 3), (1, 4), (2, 3), (2, 4)]
    >>> [tuple(point.values()) for point in around(a=(1, 2), b=(3, 4, 5))][:4]
    [(1, 3), (1, 4), (2, 3), (1, 5)]
    """

    def distance(point: HyperParameters) -> tuple[int, int]:
        steps = [values.index(point[name]) for name, values in choices.items()]
        return sum(step > 0 for step in steps), sum(steps)

    return tuple(sorted(grid(**choices), key=distance))


def listed(configurations: str) -> Space:
    """Configurations one by one, each as on the command line; nothing is the default.

    >>> listed("; ridge=12.0 k=5")
    ({}, {'ridge': 12.0, 'k': 5})
    """
    return tuple(parsed(configuration.split()) for configuration in configurations.split(";"))
