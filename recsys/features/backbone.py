"""Pictures through a pretrained image network.

Legend: N pictures, H height and W width in pixels, D dimensions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.trailers import BackboneConfig
from recsys.errors import ConfigError
from recsys.features.backbone_weights import (
    BackboneWeights,
    find_weights,
    load_state,
    torchvision_models,
    unknown_model,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

    Pictures = Sequence[Image] | Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

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

    pooling = "input of the last linear layer: in convolutional networks the global average"

    def __init__(self, config: BackboneConfig) -> None:
        self.config = config

    @cached_property
    def weights(self) -> BackboneWeights:
        """The file of weights, found or downloaded at the first use."""
        return find_weights(self.config)

    @property
    def name(self) -> str:
        """Torchvision's name of the network."""
        return f"torchvision {self.config.model}"

    @property
    def dim(self) -> int:
        """D, known without loading the network."""
        return self.weights.dim

    @property
    def preprocessing(self) -> str:
        """Everything that is done to a picture, for a card."""
        height, width = self.config.size
        return (
            f"RGB, stretched to {height} x {width} (bilinear), (pixel - {self.config.pixel_mean})"
            f" / {self.config.pixel_std}"
        )

    @property
    def paper(self) -> str:
        """What to cite."""
        found = [paper for family, paper in _PAPERS.items() if family in self.config.model]
        return found[0] if found else "torchvision"

    def frames(self, pictures: Pictures) -> NDArray[np.float32]:
        """(N, D) vectors of N pictures: Pillow images, or (H, W, 3) RGB arrays of bytes.

        Raises:
            ConfigError: the network does not take pictures of the configured size.
        """
        blocks = [self._forward(batch) for batch in self._batches(pictures)]
        empty = np.empty((0, self.dim), dtype=np.float32)
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

    models = torchvision_models()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about how random weights are drawn
        try:
            model = models.get_model(weights.model, weights=None, num_classes=weights.classes)
        except ValueError:
            raise unknown_model(weights.model) from None
    try:
        model.load_state_dict(load_state(weights), strict=True)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"{weights.file} is not a state of {weights.model}: {error}") from error
    parent, _, name = weights.head.rpartition(".")
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
