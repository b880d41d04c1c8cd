"""Whatever is edited, exactly the input never seen before is encoded, and no vector is wrong."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from laws import examples

from recsys.data.catalogue import Catalogue, EncoderCard
from recsys.data.files import fingerprint
from recsys.data.vocabulary import Vocabulary
from recsys.features.cache import FeatureCache
from recsys.features.extract import encode_cached
from recsys.features.media import EncoderInput, ItemEncoder

CARD = EncoderCard("digits", "1", 2, "none", "none", "none", "none")
ITEMS = Vocabulary(["1", "2", "3", "4"])

titles = st.lists(st.sampled_from(["", "a", "b", "c", "dd", "é"]), min_size=4, max_size=4)
edit = st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b", "zz", "é"]))
damage = st.tuples(st.integers(0, 50_000), st.integers(1, 255))


class Recorder(ItemEncoder):
    """Encodes a text as its length and the sum of its bytes, and remembers what it was given."""

    name = "digits"

    def __init__(self):
        self.seen = []

    @property
    def card(self):
        return CARD

    def inputs(self, catalogue):
        return [EncoderInput(t, fingerprint([t])) if t else None for t in catalogue.titles]

    def encode_inputs(self, inputs):
        self.seen += [m.content for m in inputs]
        return np.array([expected(m.content) for m in inputs], dtype=np.float32)


def expected(text):
    return len(text), sum(text.encode())


def encode(texts, root):
    """Encodes with a fresh encoder and cache, checks the vectors, returns what was encoded."""
    genres = np.zeros((4, 0), dtype=bool)
    catalogue = Catalogue(ITEMS, tuple(texts), np.full(4, -1), (), genres)
    recorder = Recorder()
    table, encoded = encode_cached(recorder, catalogue, FeatureCache(root))
    assert table.present.tolist() == [bool(text) for text in texts]
    assert table.vectors.tolist() == [list(expected(text)) for text in texts]
    assert encoded == len(recorder.seen)
    return sorted(recorder.seen)


@given(titles, st.lists(edit, max_size=6))
def test_exactly_the_changed_movies_are_encoded(texts, changes):
    with tempfile.TemporaryDirectory() as folder:
        known = set(texts) - {""}
        assert encode(texts, Path(folder)) == sorted(known)
        for row, text in changes:
            texts[row] = text
            assert encode(texts, Path(folder)) == sorted({text} - known - {""})
            known |= {text}


@examples(50)
@given(titles.filter(any), damage)
# SQLite names the damaged part of its schema, in bytes that are no text any more.
@example(["", "", "", "a"], (3905, 128))
@example(["", "", "", "a"], (32577, 128))
def test_a_damaged_cache_is_rebuilt_with_the_right_vectors(texts, hit):
    with tempfile.TemporaryDirectory() as folder:
        everything = encode(texts, Path(folder))
        path = FeatureCache(Path(folder)).path
        raw = bytearray(path.read_bytes())
        raw[hit[0] % len(raw)] ^= hit[1]
        path.write_bytes(bytes(raw))
        assert set(encode(texts, Path(folder))) <= set(everything)
        assert encode(texts, Path(folder)) == []


@given(st.permutations(["a", "b", "dd", ""]))
def test_the_order_of_movies_asks_for_nothing_new(texts):
    with tempfile.TemporaryDirectory() as folder:
        encode(["a", "b", "dd", ""], Path(folder))
        assert encode(texts, Path(folder)) == []
