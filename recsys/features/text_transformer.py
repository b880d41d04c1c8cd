"""Texts through a Hugging Face encoder.

Legend: N texts, B texts of one batch, T tokens, D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recsys.config.modalities import TextConfig
from recsys.data.catalogue import Catalogue, EncoderCard
from recsys.data.hashing import fingerprint
from recsys.errors import ConfigError
from recsys.features.encoder import ItemEncoder, Material
from recsys.features.text_fields import movie_texts
from recsys.features.torch_compat import declare_torchvision_operators
from recsys.features.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor


class TransformerTextEncoder(ItemEncoder):
    """Mean of the last hidden states over a text's tokens, L2-normalised.

    Reimers and Gurevych, "Sentence-BERT", EMNLP 2019. Neither torch nor transformers is imported
    before a text has to be encoded.
    """

    name = "text"

    def __init__(self, config: TextConfig, weights: Weights) -> None:
        self.config = config
        self.weights = weights

    @cached_property
    def card(self) -> EncoderCard:
        """How vectors are made."""
        return EncoderCard(
            name=self.weights.name,
            revision=self.weights.revision,
            dim=self.weights.dim,
            preprocessing=f"fields {', '.join(self.config.fields)}; the first "
            f"{self.config.max_tokens} tokens",
            pooling="mean over the attention mask, L2-normalised",
            licence=self.weights.licence,
            paper="Reimers and Gurevych, Sentence-BERT, EMNLP 2019",
        )

    def materials(self, catalogue: Catalogue) -> list[Material | None]:
        """The text of each of the I movies."""
        texts = movie_texts(catalogue, self.config.fields)
        return [Material(text, fingerprint([text])) if text else None for text in texts]

    def encode_materials(self, materials: Sequence[Material]) -> NDArray[np.float32]:
        """(N, D) vectors of unit length.

        Texts are batched by length, so that little of a batch is padding. The batches, and with
        them the last bits of the vectors, do not depend on the order of the texts.

        Raises:
            ConfigError: the weights cannot be loaded.
        """
        texts = [material.content for material in materials]
        order = sorted(range(len(texts)), key=lambda n: (len(texts[n]), texts[n]))
        vectors = np.empty((len(texts), self.weights.dim), dtype=np.float32)
        with quiet_transformers():
            for start in range(0, len(order), self.config.batch_size):
                batch = order[start : start + self.config.batch_size]
                vectors[batch] = self._encode_batch([texts[n] for n in batch])
        return vectors

    def _encode_batch(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        tokenizer, model, limit = self._loaded
        tokens = tokenizer(
            texts, padding=True, truncation=True, max_length=limit, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = model(**tokens).last_hidden_state
            pooled = mean_pool(hidden, tokens["attention_mask"])
            unit = torch.nn.functional.normalize(pooled, dim=1)
        return np.asarray(unit.numpy(), dtype=np.float32)

    @cached_property
    def _loaded(self) -> tuple[Any, Any, int]:
        """Tokenizer, model, and the most tokens that both of them and the configuration allow."""
        from transformers import AutoModel, AutoTokenizer

        folder = str(self.weights.folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"text encoder {self.weights.name} cannot be loaded: {error}",
                hint="features.text.path must hold a tokenizer and an encoder for transformers",
            ) from error
        positions = getattr(model.config, "max_position_embeddings", self.config.max_tokens)
        limit = min(self.config.max_tokens, tokenizer.model_max_length, positions)
        return tokenizer, model.float().eval(), limit


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """(B, D) mean of (B, T, D) states over the tokens where the (B, T) mask is 1."""
    weight = mask[..., None].to(hidden.dtype)
    total: Tensor = (hidden * weight).sum(dim=1)
    return total / weight.sum(dim=1).clamp(min=1)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no advice while weights load; the settings are put back afterwards."""
    declare_torchvision_operators()
    import transformers

    logging: Any = transformers.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
