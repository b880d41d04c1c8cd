"""Sound through a pretrained encoder for transformers, such as AST or CLAP.

Legend: S samples of one piece, D dimensions.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.modalities import DecodingConfig, PretrainedAudioConfig
from recsys.data.catalogue import EncoderCard
from recsys.errors import ConfigError
from recsys.features import weights
from recsys.features.containers import media_errors
from recsys.features.decoding import audio_samples, decoding
from recsys.features.media import FileStatus, MediaError
from recsys.features.running import EvenSample, pieces

LEAST_SECONDS = 0.5
"""A shorter rest at the end of the track is not heard."""

_SECTION = "audio.pretrained"
_PAPERS = {
    "audio-spectrogram-transformer": "Gong et al., AST, Interspeech 2021",
    "clap": "Wu et al., Large-Scale Contrastive Language-Audio Pretraining, ICASSP 2023",
}


class PretrainedAudio:
    """Mean over pieces of what the encoder makes of each.

    A piece becomes CLAP's projection, else the pooled output of the model, else the mean of its
    last hidden states. Neither torch nor transformers is imported before a piece is encoded.

    Args:
        config: the encoder and what it hears.
        bounds: of decoding.
    """

    def __init__(self, config: PretrainedAudioConfig, bounds: DecodingConfig) -> None:
        self._config = config
        self._bounds = bounds

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made.

        Raises:
            ConfigError: the weights cannot be used.
            MissingExtra: the hub's client is not installed.
            OfflineError: they must be downloaded, and the network is off or out of reach.
        """
        return EncoderCard(
            name=self.weights.name,
            revision=self.weights.revision,
            dim=self.dim,
            preprocessing=f"{decoding(self._bounds)}; one channel at the rate of the encoder, "
            f"{self._config.windows} pieces of at most {self._config.window_seconds:g} s, spread "
            "evenly",
            pooling="projection, else pooled output, else mean of the hidden states; mean over "
            "the pieces",
            licence=self.weights.licence,
            paper=_PAPERS.get(self._kind, ""),
        )

    @cached_property
    def weights(self) -> weights.Weights:
        """The folder that the configuration names."""
        if self._config.path is not None:
            return weights.from_path(self._config.path, _SECTION)
        return weights.from_hub(str(self._config.hub), _SECTION)

    @property
    def dim(self) -> int:
        """D."""
        if self._kind == "clap":
            return int(self.weights.settings.get("projection_dim", 512))
        return self.weights.dim

    def encode_file(self, path: Path) -> NDArray[np.float32]:
        """(D,) the vector of one file.

        Raises:
            ConfigError: the weights cannot be used.
            MediaError: the file has no sound that can be decoded.
        """
        vectors = [self._encode(piece) for piece in self._pieces(path)]
        if not vectors:
            raise MediaError(
                FileStatus.TRUNCATED, f"{path} has less than {LEAST_SECONDS} seconds of sound"
            )
        mean: NDArray[np.float32] = np.mean(vectors, axis=0, dtype=np.float32)
        return mean

    def _pieces(self, path: Path) -> list[NDArray[np.float32]]:
        rate, sample = self._rate, EvenSample[NDArray[np.float32]](self._config.windows)
        with media_errors(path):
            for piece in pieces(audio_samples(path, rate, self._bounds), self._piece_size):
                if len(piece) >= LEAST_SECONDS * rate:
                    sample.offer(piece.copy)
        return sample.take()

    def _encode(self, piece: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        extractor, model = self._loaded
        try:
            inputs = extractor(piece, sampling_rate=self._rate, return_tensors="pt")
            with torch.inference_mode():
                output = model(**inputs)
        except (RuntimeError, TypeError, ValueError) as error:
            raise ConfigError(
                f"audio encoder {self.weights.name} cannot hear {len(piece)} samples: {error}",
                hint=f"features.{_SECTION} takes encoders of sound, such as AST or CLAP",
            ) from error
        return np.asarray(_pooled(output)[0].float().numpy(), dtype=np.float32)

    @property
    def _rate(self) -> int:
        return int(self._loaded[0].sampling_rate)

    @property
    def _piece_size(self) -> int:
        """Samples; of a longer piece CLAP would take a part at random."""
        size = round(self._config.window_seconds * self._rate)
        return min(size, int(getattr(self._loaded[0], "nb_max_samples", size)))

    @property
    def _kind(self) -> str:
        return str(self.weights.settings.get("model_type"))

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """What prepares the sound, and the model."""
        kind = "ClapAudioModelWithProjection" if self._kind == "clap" else "AutoModel"
        return self.weights.load("AutoFeatureExtractor", kind)


def _pooled(output: Any) -> Any:
    for name in ("audio_embeds", "pooler_output"):
        found = getattr(output, name, None)
        if found is not None:
            return found
    return output.last_hidden_state.mean(dim=1)
