"""What ``recsys tune`` may change: keys of the experiment, each with a range or a list of choices.

A space is a YAML file such as::

    training.learning_rate: {low: 0.001, high: 0.02, log: true}
    model.ranking_dim: {low: 32, high: 256, int: true}
    fusion.kind: {choices: [sum, gated]}
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    RootModel,
    Tag,
    ValidationError,
    model_validator,
)

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import read_mapping, with_values
from recsys.config.section import Section
from recsys.errors import ConfigError, nearest
from recsys.resources import material

_FOLDER: Final = "search"
_FORM: Final = "a key has {low, high}, perhaps with log: true or int: true, or {choices: [...]}"


class Interval(Section):
    """Numbers from ``low`` to ``high``, both included.

    Attributes:
        low: the smallest.
        high: the largest.
        log: drawn evenly on the logarithmic scale.
        whole: whole numbers alone; ``int`` in a file.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    low: int | float
    high: int | float
    log: bool = False
    whole: bool = Field(default=False, alias="int")

    @model_validator(mode="after")
    def _something_between(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low} has no logarithm")
        if self.whole and (self.low % 1 or self.high % 1):
            raise ValueError(f"{self.low} and {self.high} are not both whole numbers")
        return self

    def probes(self) -> list[JsonValue]:
        """Both ends, and between them a number that is not whole unless all are."""
        between = self.low + (self.high - self.low) / math.pi
        return [self.low, self.high] if self.whole else [self.low, between, self.high]


class Choices(Section):
    """Some values, of any kind that a configuration may hold."""

    choices: tuple[JsonValue, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        texts = [json.dumps(choice, sort_keys=True) for choice in self.choices]
        if len(set(texts)) < len(texts):
            raise ValueError("a choice is there twice")
        return self

    def probes(self) -> list[JsonValue]:
        """Every choice."""
        return list(self.choices)


def _kind(value: Any) -> str:
    listed = "choices" in value if isinstance(value, Mapping) else isinstance(value, Choices)
    return "choices" if listed else "interval"


Dimension = Annotated[
    Annotated[Interval, Tag("interval")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)
]


class SearchSpace(RootModel[dict[str, Dimension]]):
    """Dotted keys of the experiment and the values each may take."""

    model_config = ConfigDict(frozen=True)

    root: dict[str, Dimension] = Field(min_length=1)

    @property
    def fingerprint(self) -> str:
        """A hash of the keys, whatever their order, and of their values."""
        return hashlib.sha256(
            json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()

    def require_fits(self, experiment: ExperimentConfig) -> None:
        """Refuse a space whose values the experiment cannot take, one key at a time.

        Raises:
            ConfigError: a key is unknown (the nearest valid one is named), a value does not fit, or
                trials would be evaluated differently from one another.
        """
        for key, dimension in self.root.items():
            for value in dimension.probes():
                changed = with_values(experiment, {key: value}, "search space")
                if _evaluation(changed) != _evaluation(experiment):
                    raise ConfigError(
                        f"search space: {key} changes what trials are evaluated by, "
                        "so that their scores could not be compared",
                        hint="take it out: seed, data, split, evaluation and training.monitor are "
                        "the same for all trials",
                    )


def _evaluation(experiment: ExperimentConfig) -> tuple[object, ...]:
    """All that decides, beside the model, how well it validates."""
    fixed = (experiment.seed, experiment.data, experiment.split, experiment.evaluation)
    return (*fixed, experiment.training.monitor)


def space_names() -> list[str]:
    """The search spaces that come with the program."""
    folder = material("configs") / _FOLDER
    found = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def load_space(source: str | Path) -> SearchSpace:
    """The search space of a file, or of a shipped name such as ``joint``.

    Raises:
        ConfigError: there is no such file, it is not YAML, or not a search space.
    """
    known, path = space_names(), Path(source)
    is_path = path.is_file() or path.suffix in {".yaml", ".yml"} or len(path.parts) > 1
    if not is_path and str(source) not in known:
        close = ", ".join(nearest(str(source), known) or known)
        raise ConfigError(f"there is no search space {source}", hint=f"did you mean: {close}?")
    try:
        return SearchSpace.model_validate(read_mapping(source, _FOLDER))
    except ValidationError as error:
        found = [_explain(problem["loc"], problem["msg"]) for problem in error.errors()]
        raise ConfigError(f"{source}: {'; '.join(found)}", hint=_FORM) from None


def _explain(location: tuple[int | str, ...], message: str) -> str:
    """A problem with its place, without the name of the kind that pydantic puts into it."""
    place = [str(part) for part in (*location[:1], *location[2:])]
    return f"{': '.join(place)}: {message}" if place else message
