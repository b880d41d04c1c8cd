"""Pictures through a pretrained image network, whose weights are always one safetensors file.

Legend: N pictures, H height and W width in pixels, D dimensions.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from recsys.config.modalities import BackboneConfig
from recsys.config.section import expand
from recsys.data.catalogue import EncoderCard
from recsys.data.files import atomic_write, file_sha256, is_offline
from recsys.errors import ConfigError, MissingExtra, OfflineError
from recsys.features.cache import cache_root
from recsys.features.torch_compat import declare_torchvision_operators

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

    Pictures = Sequence[Image] | Sequence[NDArray[np.uint8]] | NDArray[np.uint8]


_HEAD = re.compile(r"((?:classifier|fc|heads?)(?:\.\w+)*)\.weight")


class Stated(NamedTuple):
    """What a file of weights says of itself.

    Attributes:
        head: dotted name of the last linear layer.
        classes: that the head tells apart.
        dim: D, what the head reads.
        licence: of the file's own metadata.
    """

    head: str
    classes: int
    dim: int
    licence: str


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

    @cached_property
    def stated(self) -> Stated:
        """Read from the header alone: neither torch nor the tensors are loaded."""
        try:
            with safe_open(str(self.file), framework="np") as stream:
                shapes = {key: stream.get_slice(key).get_shape() for key in stream.keys()}  # noqa: SIM118
                licence = (stream.metadata() or {}).get("license", "not stated in the weights")
        except (SafetensorError, OSError) as error:
            raise ConfigError(f"{self.file} is not a safetensors file: {error}") from error
        linear = [key for key, shape in shapes.items() if len(shape) == 2]
        heads = [match[1] for key in linear if (match := _HEAD.fullmatch(key))]
        if not heads:
            raise ConfigError(
                f"{self.file} holds no linear head of an image network",
                hint="give a state of one of torchvision's classification models",
            )
        head = max(heads, key=_natural)
        classes, dim = shapes[f"{head}.weight"]
        return Stated(head, classes, dim, licence)


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


BATCH = 16
"""Pictures in memory as tensors at once."""

_PAPERS = {
    "convnext": "Liu et al., A ConvNet for the 2020s, CVPR 2022",
    "densenet": "Huang et al., Densely Connected Convolutional Networks, CVPR 2017",
    "efficientnet": "Tan and Le, EfficientNet, ICML 2019",
    "mobilenet_v2": "Sandler et al., MobileNetV2, CVPR 2018",
    "mobilenet_v3": "Howard et al., Searching for MobileNetV3, ICCV 2019",
    "regnet": "Radosavovic et al., Designing Network Design Spaces, CVPR 2020",
    "resnet": "He et al., Deep Residual Learning for Image Recognition, CVPR 2016",
    "vit": "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021",
}


class Backbone:
    """What a classification network computes in front of its last linear layer.

    In convolutional networks that is the global average of the last feature maps. Neither torch
    nor torchvision is imported before a picture has to be encoded, unless weights are downloaded.

    Raises:
        ConfigError: weights or model cannot be used.
        OfflineError: weights must be downloaded, and the network is off or out of reach.
    """

    def __init__(self, config: BackboneConfig) -> None:
        self.config = config

    @cached_property
    def weights(self) -> BackboneWeights:
        """The file of weights, found or downloaded at the first use."""
        return find_weights(self.config)

    @cached_property
    def card(self) -> EncoderCard:
        """How the vector of one picture is made; it is known without loading the network."""
        height, width = self.config.size
        papers = [paper for family, paper in _PAPERS.items() if family in self.config.model]
        return EncoderCard(
            name=f"torchvision {self.config.model}",
            revision=self.weights.revision,
            dim=self.weights.stated.dim,
            preprocessing=f"RGB, stretched to {height} x {width} (bilinear), "
            f"(pixel - {self.config.pixel_mean}) / {self.config.pixel_std}",
            pooling="input of the last linear layer: in convolutional networks the global average",
            licence=self.weights.stated.licence,
            paper=papers[0] if papers else "torchvision",
        )

    def frames(self, pictures: Pictures) -> NDArray[np.float32]:
        """(N, D) vectors of N pictures: Pillow images, or (H, W, 3) RGB arrays of bytes.

        Raises:
            ConfigError: the network does not take pictures of the configured size.
        """
        blocks = [self._forward(batch) for batch in self._batches(pictures)]
        empty = np.empty((0, self.card.dim), dtype=np.float32)
        return np.concatenate([empty, *blocks])

    def _batches(self, pictures: Pictures) -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start : start + BATCH]
            yield np.stack([_resized(picture, self.config.size) for picture in batch])

    def _forward(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        mean, std = (torch.tensor(v) for v in (self.config.pixel_mean, self.config.pixel_std))
        with torch.inference_mode():
            scaled = (torch.from_numpy(pixels) - mean) / std
            try:
                vectors: Tensor = self._network(scaled.permute(0, 3, 1, 2))
            except (AssertionError, RuntimeError, ValueError) as error:
                raise ConfigError(
                    f"image network {self.config.model} cannot read {self.config.size} pixels: "
                    f"{error}",
                    hint="set the size that the network was trained on",
                ) from error
            return vectors.flatten(1).float().numpy()

    @cached_property
    def _network(self) -> nn.Module:
        return headless(self.weights)


def headless(weights: BackboneWeights) -> nn.Module:
    """The network with its weights, ready for inference, an identity in place of the head.

    Raises:
        ConfigError: torchvision has no such model, or the weights are of another one.
    """
    import torch
    from safetensors.torch import load_file

    models = torchvision_models()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about how random weights are drawn
        try:
            model = models.get_model(
                weights.model, weights=None, num_classes=weights.stated.classes
            )
        except ValueError:
            raise unknown_model(weights.model) from None
    try:
        model.load_state_dict(load_file(weights.file), strict=True)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"{weights.file} is not a state of {weights.model}: {error}") from error
    parent, _, name = weights.stated.head.rpartition(".")
    setattr(model.get_submodule(parent), name, torch.nn.Identity())
    channels_last: Any = torch.channels_last
    network: nn.Module = model.eval().to(memory_format=channels_last)
    return network


def _resized(picture: Image | NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    height, width = size
    scaled = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(scaled, dtype=np.uint8)
