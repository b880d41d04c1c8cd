import subprocess
import sys

import numpy as np
import pytest

from recsys.config.modalities import FeaturesConfig, MetadataConfig, TextConfig
from recsys.data.files import fingerprint
from recsys.features.extract import encode_cached, extract
from recsys.features.media import EncoderInput, ItemEncoder
from recsys.features.text import text_encoder

pytest.importorskip("sklearn")

TFIDF = FeaturesConfig(text=TextConfig(backend="tfidf"), metadata=MetadataConfig())


def add_features(catalogue, config, cache):
    found = extract(catalogue, config, cache=cache)
    return found.catalogue, found.reports


class Failing(ItemEncoder):
    """Gives the length of a title, until it meets one that it cannot take."""

    name = "length"

    def __init__(self, card, poison):
        self._card, self._poison, self.seen = card, poison, []

    @property
    def card(self):
        return self._card

    def inputs(self, catalogue):
        return [EncoderInput(t, fingerprint([t])) if t else None for t in catalogue.titles]

    def encode_inputs(self, inputs):
        if any(m.content == self._poison for m in inputs):
            raise RuntimeError("poison")
        self.seen += [m.content for m in inputs]
        return np.array([[len(m.content)] * self.card.dim for m in inputs], dtype=np.float32)


@pytest.fixture
def catalogue(make_catalogue):
    facts = {"actor": [("ann",), ("ann", "bob"), ("bob",), (), ()]}
    years = [1990, 1991, 1992, 1993, -1]
    return make_catalogue(["Heat", "Star Wars", "Star Trek", "", ""], years=years, facts=facts)


def test_modalities_are_added_and_reported(catalogue, cache):
    featured, (text, metadata) = add_features(catalogue, TFIDF, cache)
    assert set(featured.modalities) == {"text", "metadata"}
    assert (text.modality, text.movies, text.present, text.coverage) == ("text", 5, 3, 0.6)
    assert (metadata.present, metadata.encoded, metadata.reused) == (4, 4, 0)
    assert text.card == featured.modalities["text"].card
    assert text.seconds >= 0
    assert not catalogue.modalities


def test_a_modality_can_be_left_out(catalogue, cache):
    config = FeaturesConfig(text=None)
    featured, reports = add_features(catalogue, config, cache)
    assert list(featured.modalities) == ["metadata"]
    assert [report.modality for report in reports] == ["metadata"]


def test_a_modality_that_no_movie_has_is_reported_and_not_added(make_catalogue, cache):
    featured, reports = add_features(make_catalogue(["", ""]), TFIDF, cache)
    assert not featured.modalities
    assert [(report.present, report.coverage) for report in reports] == [(0, 0.0), (0, 0.0)]


def test_only_what_changed_is_encoded_again(make_catalogue, cache, tiny_bert):
    encoder = text_encoder(TextConfig(path=tiny_bert))
    config = FeaturesConfig(text=TextConfig(path=tiny_bert), metadata=None)
    titles = ["Heat", "Casino", "Heat", "", "Star Wars"]

    def run(titles):
        featured, (report,) = add_features(make_catalogue(titles), config, cache)
        return featured.modalities["text"], (report.encoded, report.reused)

    first, counts = run(titles)
    assert counts == (3, 1)
    again, counts = run(titles)
    assert counts == (0, 4)
    assert again.vectors.tobytes() == first.vectors.tobytes()
    changed, counts = run([*titles[:4], "Toy Story", "Casino"])
    assert counts == (1, 4)
    fresh = encoder.encode(make_catalogue([*titles[:4], "Toy Story", "Casino"]))
    np.testing.assert_allclose(changed.vectors, fresh.vectors, atol=1e-6)


def test_an_interrupted_run_keeps_the_blocks_that_were_finished(make_catalogue, cache, monkeypatch):
    monkeypatch.setattr("recsys.features.extract.BLOCK", 2)
    card = text_encoder(TextConfig(backend="tfidf")).card
    catalogue = make_catalogue(["a", "bb", "ccc", "dddd", "poison", "f"])
    with pytest.raises(RuntimeError, match="poison"):
        encode_cached(Failing(card, "poison"), catalogue, cache)
    healed = Failing(card, None)
    table, encoded = encode_cached(healed, catalogue, cache)
    assert (encoded, healed.seen) == (2, ["poison", "f"])
    assert table.vectors[:, 0].tolist() == [1, 2, 3, 4, 6, 1]


def test_a_run_from_the_cache_imports_no_torch(cache, tiny_bert):
    script = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from recsys.config.modalities import FeaturesConfig, TextConfig\n"
        "from recsys.data.catalogue import Catalogue\n"
        "from recsys.data.vocabulary import Vocabulary\n"
        "from recsys.features.cache import FeatureCache\n"
        "from recsys.features.extract import extract\n"
        "catalogue = Catalogue(Vocabulary(['1']), ('Heat',), np.array([1995]), (),\n"
        "                      np.zeros((1, 0), dtype=bool))\n"
        "config = FeaturesConfig(text=TextConfig(path=sys.argv[2]), metadata=None)\n"
        "cache = FeatureCache(Path(sys.argv[1]))\n"
        "(report,) = extract(catalogue, config, cache=cache).reports\n"
        "heavy = {'torch', 'transformers', 'sklearn'} & set(sys.modules)\n"
        "print(report.encoded, report.reused, sorted(heavy))\n"
    )
    command = [sys.executable, "-c", script, str(cache.root), str(tiny_bert)]
    lines = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in "12"]
    assert lines[0].stdout.startswith("1 0 ['")
    assert lines[1].stdout == "0 1 []\n"
    assert [line.stderr for line in lines] == ["", ""]
