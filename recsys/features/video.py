"""The pictures of a trailer as one modality.

Legend: N sampled frames, D dimensions.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.trailers import VideoConfig
from recsys.data.catalogue import EncoderCard
from recsys.features.backbone import Backbone
from recsys.features.cards import NO_WEIGHTS, decoding, joined, pyav_version
from recsys.features.video_descriptors import FRAME_NAMES

REVISION = "1"
"""Of the descriptors; it changes whenever their values do."""


class VideoEncoder:
    """Descriptors that need no weights, and an image network pooled over sampled frames.

    Nothing is loaded before it is needed, so an encoder can be made anew in every process.
    """

    name = "video"

    def __init__(self, config: VideoConfig) -> None:
        self.config = config

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MissingExtra: a library that the configuration needs is not installed.
            OfflineError: its weights must be downloaded, and the network is out of reach.
        """
        parts = [descriptor_card(self.config)] if self.config.kind != "backbone" else []
        if self._network is not None:
            parts.append(network_card(self.config, self._network))
        return joined(parts)

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one trailer.

        Raises:
            ConfigError: the weights of the backbone cannot be used.
            MediaError: the file has no pictures that can be decoded.
            MissingExtra: a library that the configuration needs is not installed.
        """
        pyav_version()
        from recsys.features.watching import watch

        network = self._network
        watched = watch(path, self.config, None if network is None else network.config.size)
        parts: list[NDArray[np.floating[Any]]] = []
        if self.config.kind != "backbone":
            parts.append(watched.descriptors)
        if network is not None:
            vectors = network.frames(watched.frames)
            parts.append(vectors.mean(axis=0))
            if self.config.pooling == "mean_std":
                parts.append(vectors.std(axis=0))
        return np.asarray(np.concatenate(parts), dtype=np.float32)

    @cached_property
    def _network(self) -> Backbone | None:
        wanted = self.config.backbone if self.config.kind != "descriptors" else None
        return None if wanted is None else Backbone(wanted)


def descriptor_card(config: VideoConfig) -> EncoderCard:
    """How the descriptors are made."""
    return EncoderCard(
        name="video descriptors",
        revision=REVISION,
        dim=2 * len(FRAME_NAMES) + 5,
        preprocessing=f"{decoding(config)}; {config.fps:g} pictures a second at 96 x 64",
        pooling="mean and standard deviation over pictures of the histograms of hue, saturation "
        "and level, of brightness, saturation, contrast, edges and motion; cuts a second, mean and "
        f"standard deviation of the seconds of a shot (cut threshold {config.cut_threshold:g})",
        licence=NO_WEIGHTS,
        paper="Boreczky and Rowe, Comparison of Video Shot Boundary Detection Techniques, 1996",
    )


def network_card(config: VideoConfig, network: Backbone) -> EncoderCard:
    """How the frames become a vector."""
    statistics = 2 if config.pooling == "mean_std" else 1
    return EncoderCard(
        name=network.name,
        revision=network.weights.revision,
        dim=statistics * network.dim,
        preprocessing=f"{decoding(config)}; of {config.fps:g} pictures a second {config.n_frames} "
        f"spread evenly and {config.n_shot_frames} first ones of shots (cut threshold "
        f"{config.cut_threshold:g}); {network.preprocessing}",
        pooling=f"{network.pooling}; {config.pooling} over the frames",
        licence=network.weights.licence,
        paper=network.paper,
    )
