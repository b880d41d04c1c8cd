import json

import numpy as np
import pytest

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.features.cache import FeatureCache
from recsys.features.torch_compat import declare_torchvision_operators

WORDS = ["toy", "story", "heat", "casino", "the", "usual", "suspects", "star", "wars", "##s"]
WORDS += ["lion", "king", "in", "america"]


@pytest.fixture
def make_catalogue():
    def make(titles=(), *, years=None, facts=None):
        n = len(titles)
        return Catalogue(
            items=Vocabulary([str(i + 1) for i in range(n)], kind="movie"),
            titles=tuple(titles),
            years=np.full(n, UNKNOWN_YEAR) if years is None else np.array(years),
            genre_names=("Drama",),
            genres=np.zeros((n, 1), dtype=bool),
            facts=facts or {},
        )

    return make


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """A randomly initialised two-layer BERT with a vocabulary of a few words."""
    torch = pytest.importorskip("torch")
    declare_torchvision_operators()
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("weights") / "tiny-bert"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    return folder
