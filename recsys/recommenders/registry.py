"""The models by name: the one place that knows them all.

A model is loaded when it is asked for, so that a list of names is cheap and a bundle loads without
the libraries of other models.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from recsys.errors import ConfigError, did_you_mean
from recsys.recommenders.base import Facts, Recommender
from recsys.recommenders.options import checked


@dataclass(frozen=True)
class ModelEntry:
    """A model of the registry.

    Attributes:
        name: of the model.
        where: "module:class", the module below ``recsys.recommenders``.
        fixed: hyper-parameters that make this entry, and that are not to be set.
        by_modality: whether ``name:modality`` is the model that looks at one modality alone.
        kind: the class of a model that was registered; ``where`` only names it.
    """

    name: str
    where: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    by_modality: bool = False
    kind: type[Recommender] | None = None

    def load(self) -> type[Recommender]:
        """The class."""
        if self.kind is not None:
            return self.kind
        module, name = self.where.split(":")
        found: type[Recommender] = getattr(import_module(f"recsys.recommenders.{module}"), name)
        return found

    @property
    def facts(self) -> Facts:
        """What to know of the model before choosing it."""
        return create(self.name).facts

    @property
    def is_available(self) -> bool:
        """Whether the library that fitting needs is installed."""
        library = self.load().facts.library
        return library is None or find_spec(library) is not None


_PLAIN = {
    "joint": "joint.recommender:JointRecommender",
    "popularity": "simple:Popularity",
    "genre-popularity": "simple:GenrePopularity",
    "global-mean": "simple:GlobalMean",
    "bias": "bias:BiasModel",
    "item-knn": "item_knn:ItemKNN",
    "ease": "closed_form.ease:Ease",
    "ease-low-rank": "closed_form.ease:RankReducedEase",
    "ease-content": "closed_form.ease:EaseContent",
    "marec": "closed_form.marec:MARec",
    "svd": "svd.model:Svd",
    "svd++": "svd.model:SvdPlusPlus",
    "implicit-als": "implicit_models:ImplicitALS",
    "implicit-bpr": "implicit_models:ImplicitBPR",
    "clcrec": "neural.models:CLCRec",
    "dropoutnet": "neural.models:DropoutNet",
}
_BY_MODALITY = {
    "content-knn": "content.knn:ContentKNN",
    "content-knn-plain": "content.knn:PlainContentKNN",
    "content-ridge": "content.ridge:ContentRidge",
    "vbpr": "neural.models:VBPR",
}
_MACHINES = tuple(
    ModelEntry(f"myfm-{kind}-{inputs}", "myfm.model:MyFM", {"inputs": inputs, "ordinal": ordinal})
    for kind, ordinal in (("regression", False), ("ordinal", True))
    for inputs in ("ids", "side", "date")
)
_ENTRIES = (
    *(ModelEntry(name, where) for name, where in _PLAIN.items()),
    *(ModelEntry(name, where, by_modality=True) for name, where in _BY_MODALITY.items()),
    *_MACHINES,
)

_KNOWN = {entry.name: entry for entry in _ENTRIES}

MODELS: Mapping[str, ModelEntry] = MappingProxyType(_KNOWN)
"""Every model that ``recsys train --model`` makes, by name, and those that were registered."""


def register(kind: type[Recommender]) -> type[Recommender]:
    """Make a model of one's own known by its ``name``: it is then created, saved and loaded by it.

    A decorator of the class. A process that loads a bundle of it imports the class first.

    Raises:
        ConfigError: another model has the name.
    """
    known = _KNOWN.get(kind.name)
    where = f"{kind.__module__}:{kind.__qualname__}"
    if ":" in kind.name or (known is not None and known.where != where):
        raise ConfigError(
            f"a model cannot be registered as {kind.name!r}",
            hint="give the class a name of its own, without a colon",
        )
    _KNOWN[kind.name] = ModelEntry(kind.name, where, kind=kind)
    return kind


def entry_of(name: str) -> tuple[ModelEntry, str | None]:
    """The entry of a name, and the modality after its colon.

    Raises:
        ConfigError: there is no such model; the error names the nearest.
    """
    kind, _, modality = str(name).partition(":")
    entry = MODELS.get(kind)
    if entry is None or (modality and not entry.by_modality):
        hint = did_you_mean(name, MODELS, f"known: {', '.join(MODELS)}")
        raise ConfigError(f"there is no model {name!r}", hint=hint)
    return entry, modality or None


def create(name: str, /, **options: Any) -> Recommender:
    """A fresh model, not fitted.

    Args:
        name: a key of ``MODELS``; ``content-knn:text`` looks at one modality alone.
        options: hyper-parameters; those of ``joint`` are dotted keys of a configuration.

    Raises:
        ConfigError: the name or a hyper-parameter is unknown (the error names the nearest), or a
            value does not suit.
    """
    model = entry_of(name)[0].load()(configured(name, options))
    model.name = name
    return model


def configured(name: str, options: Mapping[str, Any]) -> Any:
    """The checked hyper-parameters of a model; see ``create``."""
    entry, modality = entry_of(name)
    fixed = {**entry.fixed, **({"modality": modality} if modality else {})}
    return checked_config(entry.load(), name, options, fixed)


def checked_config(
    kind: type[Recommender], name: str, options: Mapping[str, Any], fixed: Mapping[str, Any]
) -> Any:
    """The hyper-parameters of a class.

    Raises:
        ConfigError: one is unknown, or a value does not suit.
    """
    if issubclass(kind.config_class, BaseModel):
        from recsys.config.experiment import ExperimentConfig
        from recsys.config.loading import with_values

        return with_values(ExperimentConfig(), options, f"model {name}")
    declared = [f.name for f in dataclasses.fields(kind.config_class) if f.name not in fixed]
    for option in options:
        if option not in declared:
            listed = ", ".join(declared) or "none"
            hint = did_you_mean(option, declared, f"{name} has: {listed}")
            raise ConfigError(f"{name} has no hyper-parameter {option!r}", hint=hint)
    return kind.config_class(**checked(kind.config_class, options), **fixed)


def parsed(changes: Iterable[str]) -> dict[str, Any]:
    """Hyper-parameters from ``name=value`` texts; values are read as YAML.

    Raises:
        ConfigError: a text is not of that form.
    """
    from recsys.config.loading import parse_override

    return dict(parse_override(change) for change in changes)
