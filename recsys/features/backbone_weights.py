"""Weights of an image network: always one safetensors file, whatever they were published as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError, safe_open

from recsys.config.section import expand
from recsys.config.trailers import BackboneConfig
from recsys.data.files import atomic_write
from recsys.data.hashing import file_sha256
from recsys.data.surroundings import is_offline
from recsys.errors import ConfigError, MissingExtra, OfflineError
from recsys.features.cache import cache_root
from recsys.features.torch_compat import declare_torchvision_operators

_HEAD = re.compile(r"((?:classifier|fc|heads?)(?:\.\w+)*)\.weight")


@dataclass(frozen=True)
class BackboneWeights:
    """A state of one of torchvision's models.

    Attributes:
        model: torchvision's name of the model.
        file: the safetensors file.

    Raises:
        ConfigError: there is no such file, it is not safetensors, or it states no linear head.
    """

    model: str
    file: Path

    def __post_init__(self) -> None:
        if not self.file.is_file():
            raise ConfigError(
                f"image network {self.model}: there is no file {self.file}",
                hint="give a .safetensors state of the model, or the name of published weights",
            )

    @cached_property
    def revision(self) -> str:
        """A hash of the file."""
        return f"sha256:{file_sha256(self.file)[:32]}"

    @property
    def head(self) -> str:
        """Dotted name of the last linear layer."""
        return self._stated[0]

    @property
    def classes(self) -> int:
        """Classes that the head tells apart."""
        return self._stated[1]

    @property
    def dim(self) -> int:
        """D, what the head reads."""
        return self._stated[2]

    @property
    def licence(self) -> str:
        """What the file's own metadata states."""
        return self._stated[3]

    @cached_property
    def _stated(self) -> tuple[str, int, int, str]:
        """Read from the header alone: neither torch nor the tensors are loaded."""
        try:
            with safe_open(str(self.file), framework="np") as stream:
                shapes = {key: stream.get_slice(key).get_shape() for key in stream.keys()}  # noqa: SIM118
                licence = (stream.metadata() or {}).get("license", "not stated in the weights")
        except (SafetensorError, OSError) as error:
            raise ConfigError(f"{self.file} is not a safetensors file: {error}") from error
        heads = [m[1] for key, shape in shapes.items() if len(shape) == 2 and (m := _match(key))]
        if not heads:
            raise ConfigError(
                f"{self.file} holds no linear head of an image network",
                hint="give a state of one of torchvision's classification models",
            )
        head = max(heads, key=_natural)
        classes, dim = shapes[f"{head}.weight"]
        return head, classes, dim, licence


def _match(key: str) -> re.Match[str] | None:
    return _HEAD.fullmatch(key)


def _natural(name: str) -> list[tuple[int, str]]:
    """``classifier.10`` after ``classifier.6``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


def find_weights(config: BackboneConfig) -> BackboneWeights:
    """The weights of a configuration, downloaded where they are named, allowed and needed.

    Raises:
        ConfigError: no such file, model or name of weights.
        MissingExtra: torchvision is needed and not installed.
        OfflineError: they must be downloaded, and the network is off or out of reach.
    """
    if config.weights.endswith(".safetensors"):
        return BackboneWeights(config.model, expand(Path(config.weights)))
    name = re.sub(r"[^\w.-]", "_", f"{config.model}-{config.weights}")
    kept = cache_root().parent / "weights" / f"{name}.safetensors"
    if not kept.is_file():
        _download(config, kept)
    return BackboneWeights(config.model, kept)


def _download(config: BackboneConfig, kept: Path) -> None:
    """Torchvision publishes pickles: opened once, as tensors only, and kept as safetensors."""
    published = _published(config)
    import torch
    from safetensors.torch import save_file

    checkpoint = Path(torch.hub.get_dir()) / "checkpoints" / Path(published.url).name
    offline = is_offline()
    hint = "get it once while online, or give a .safetensors file as weights"
    if offline and not checkpoint.is_file():
        raise OfflineError(
            f"weights {config.weights} of {config.model} are not on this machine and "
            "RECSYS_OFFLINE is set",
            hint=hint,
        )
    try:
        state = published.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise OfflineError(
            f"weights {config.weights} of {config.model} could not be had: {error}", hint=hint
        ) from error
    tensors = {key: tensor.contiguous() for key, tensor in state.items()}
    with atomic_write(kept) as temporary:
        save_file(tensors, temporary, metadata={"license": "as torchvision publishes them"})


def _published(config: BackboneConfig) -> Any:
    models = torchvision_models()
    try:
        published = models.get_model_weights(config.model)
    except ValueError:
        raise unknown_model(config.model) from None
    if config.weights not in published.__members__:
        raise ConfigError(
            f"image network {config.model} has no weights {config.weights!r}",
            hint=f"torchvision publishes {', '.join(published.__members__)}; a file ends in "
            ".safetensors",
        )
    return published[config.weights]


def torchvision_models() -> Any:
    """``torchvision.models``, also beside a torch built for the CPU.

    Raises:
        MissingExtra: torchvision is not installed.
    """
    declare_torchvision_operators()
    try:
        import torchvision.models
    except ImportError:
        raise MissingExtra("torchvision", "vision") from None
    return torchvision.models


def unknown_model(name: str) -> ConfigError:
    """The error for a name that torchvision does not know."""
    from recsys.errors import nearest

    models = torchvision_models()
    close = nearest(name, models.list_models(module=models))
    return ConfigError(
        f"torchvision has no classification model {name!r}",
        hint=f"did you mean {', '.join(close)}?" if close else "see torchvision's list of models",
    )


def load_state(weights: BackboneWeights) -> Mapping[str, Any]:
    """The tensors."""
    from safetensors.torch import load_file

    return cast(Mapping[str, Any], load_file(weights.file))
