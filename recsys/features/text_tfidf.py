"""Texts without pretrained weights: words and pieces of words, weighted and reduced.

Legend: I items, V terms, R dimensions kept.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.config.modalities import TextConfig
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.errors import MissingExtra
from recsys.features.reduction import NEGLIGIBLE, truncated_svd
from recsys.features.text_fields import movie_texts


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
