"""Posters as one modality.

Legend: D dimensions.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.config.trailers import PosterConfig
from recsys.data.catalogue import EncoderCard
from recsys.features import poster_descriptors
from recsys.features.backbone import Backbone
from recsys.features.pictures import read_picture

_UNIT = "; L2-normalised"


class PosterEncoder:
    """An image network, or descriptors that need no weights.

    Nothing is loaded before it is needed, so an encoder can be made anew in every process.
    """

    name = "poster"

    def __init__(self, config: PosterConfig) -> None:
        self.config = config

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MissingExtra: they must be downloaded, and torchvision is not installed.
            OfflineError: they must be downloaded, and the network is out of reach.
        """
        limit = (
            f"pictures of at most {self.config.max_pixels} pixels, decoded at twice the size or "
            "more, alpha on white; "
        )
        if self._network is None:
            return _descriptor_card(limit)
        return EncoderCard(
            name=self._network.name,
            revision=self._network.weights.revision,
            dim=self._network.dim,
            preprocessing=limit + self._network.preprocessing,
            pooling=self._network.pooling + _UNIT,
            licence=self._network.weights.licence,
            paper=self._network.paper,
        )

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one poster.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MediaError: the file is no picture, is broken, or is too large.
            MissingExtra: a library that the configuration needs is not installed.
        """
        network = self._network
        size = poster_descriptors.SIZE if network is None else network.config.size
        picture = read_picture(path, max_pixels=self.config.max_pixels, size=size)
        if network is None:
            return _unit(poster_descriptors.describe(picture))
        return _unit(network.frames([picture])[0])

    @cached_property
    def _network(self) -> Backbone | None:
        wanted = self.config.backbone if self.config.kind == "backbone" else None
        return None if wanted is None else Backbone(wanted)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    return vector / np.float32(length) if length else vector


def _descriptor_card(limit: str) -> EncoderCard:
    return EncoderCard(
        name="poster descriptors",
        revision=poster_descriptors.REVISION,
        dim=poster_descriptors.DIM,
        preprocessing=limit + poster_descriptors.PREPROCESSING,
        pooling=poster_descriptors.POOLING + _UNIT,
        licence="needs no weights",
        paper=poster_descriptors.PAPER,
    )
