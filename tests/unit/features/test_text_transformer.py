import json
import shutil

import numpy as np
import pytest

from recsys.config.modalities import TextConfig
from recsys.errors import ConfigError
from recsys.features.media import EncoderInput
from recsys.features.text import mean_pool, quiet_transformers, text_encoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = ["Heat", "Toy Story", "The Usual Suspects", "Star Wars", "Lion King in America", "Casino"]


@pytest.fixture
def encoder(tiny_bert):
    return text_encoder(TextConfig(path=tiny_bert, batch_size=3))


def inputs(texts):
    return [EncoderInput(text, text) for text in texts]


def by_hand(folder, text):
    """One text at a time, so without padding, averaged in NumPy."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder).eval()
    with torch.no_grad():
        states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
    mean = states.astype(np.float64).mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_vectors_equal_a_computation_by_hand(encoder, tiny_bert):
    vectors = encoder.encode_inputs(inputs(TEXTS))
    expected = np.stack([by_hand(tiny_bert, text) for text in TEXTS])
    np.testing.assert_allclose(vectors, expected, atol=2e-6)
    assert len(np.unique(vectors.round(3), axis=0)) == len(TEXTS)


def test_mean_pool_ignores_padding():
    hidden = torch.tensor(
        [[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]], [[5.0, 6.0], [8.0, 8.0], [7.0, 7.0]]]
    )
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    assert mean_pool(hidden, mask).tolist() == [[2.0, 3.0], [5.0, 6.0]]


def test_the_order_of_the_texts_changes_no_bit(encoder):
    vectors = encoder.encode_inputs(inputs(TEXTS))
    order = np.random.default_rng(1).permutation(len(TEXTS))
    shuffled = encoder.encode_inputs(inputs([TEXTS[n] for n in order]))
    assert shuffled.tobytes() == vectors[order].tobytes()


def test_texts_of_equal_length_are_batched_alike_in_any_order(encoder, monkeypatch):
    def batches(texts):
        found = []
        encode = lambda batch: found.append(batch) or np.zeros((len(batch), 16))  # noqa: E731
        monkeypatch.setattr(encoder, "_encode_batch", encode)
        encoder.encode_inputs(inputs(texts))
        return found

    texts = ["America", "a b c d", "Suspect", "Usual I"]
    assert batches(texts) == batches(texts[::-1])
    assert [len(batch) for batch in batches(texts)] == [3, 1]


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_the_size_of_a_batch_changes_nothing_that_matters(encoder, tiny_bert, batch_size):
    other = text_encoder(TextConfig(path=tiny_bert, batch_size=batch_size))
    assert other.card == encoder.card
    one, two = (e.encode_inputs(inputs(TEXTS)) for e in (encoder, other))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_movies_without_text_are_absent(encoder, make_catalogue):
    table = encoder.encode(make_catalogue(["Heat", "", "  ", "Casino", "Heat"]))
    assert table.present.tolist() == [True, False, False, True, True]
    assert table.vectors.shape == (5, 16)
    np.testing.assert_array_equal(table.vectors[0], table.vectors[4])
    np.testing.assert_allclose(np.linalg.norm(table.vectors[table.present], axis=1), 1, rtol=1e-6)


def test_a_catalogue_without_any_text_loads_no_weights(encoder, make_catalogue):
    assert encoder.encode(make_catalogue(["", ""])).vectors.shape == (2, 16)
    assert "_loaded" not in vars(encoder)


def test_a_long_text_is_cut_at_what_the_model_can_hold(tiny_bert):
    encoder = text_encoder(TextConfig(path=tiny_bert, max_tokens=256))  # the model holds 32
    vectors = encoder.encode_inputs(inputs(["heat " * 30, "heat " * 500]))
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_max_tokens_cuts_and_shows_in_the_card(encoder, tiny_bert):
    short = text_encoder(TextConfig(path=tiny_bert, max_tokens=4))
    assert short.card != encoder.card
    vectors = short.encode_inputs(inputs(["toy story", "toy story heat casino"]))
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_half_precision_weights_are_computed_in_single_precision(tiny_bert, tmp_path):
    model = transformers.AutoModel.from_pretrained(tiny_bert).half()
    shutil.copytree(tiny_bert, tmp_path / "half")
    model.save_pretrained(tmp_path / "half")
    vectors = text_encoder(TextConfig(path=tmp_path / "half")).encode_inputs(inputs(TEXTS))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_nothing_is_printed_and_the_settings_are_put_back(encoder, capfd):
    logging = transformers.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    encoder.encode_inputs(inputs(TEXTS))
    assert capfd.readouterr() == ("", "")
    with quiet_transformers():
        assert not logging.is_progress_bar_enabled()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_threads_are_the_callers_business(encoder):
    before = torch.get_num_threads()
    encoder.encode_inputs(inputs(TEXTS))
    assert torch.get_num_threads() == before


def test_weights_of_something_else_are_refused(tiny_bert, tmp_path):
    folder = shutil.copytree(tiny_bert, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "no-such-model"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="other cannot be loaded"):
        text_encoder(TextConfig(path=folder)).encode_inputs(inputs(TEXTS))
