import numpy as np
import pytest

from recsys.config.modalities import TextConfig
from recsys.errors import ConfigError
from recsys.features.text import TfidfTextEncoder, movie_texts

pytest.importorskip("sklearn")

TITLES = ["Star Wars", "Star Trek", "Heat", "", "Heat", "  "]


@pytest.fixture
def encode(make_catalogue):
    def run(titles, **settings):
        encoder = TfidfTextEncoder(TextConfig(backend="tfidf", **settings), why="a test")
        return encoder.encode(make_catalogue(titles))

    return run


def test_movies_without_text_are_absent_and_the_others_have_unit_length(encode):
    table = encode(TITLES)
    assert table.present.tolist() == [True, True, True, False, True, False]
    np.testing.assert_allclose(np.linalg.norm(table.vectors[table.present], axis=1), 1, rtol=1e-6)


def test_texts_that_share_words_are_closer(encode):
    similarity = encode(TITLES).vectors @ encode(TITLES).vectors.T
    assert similarity[2, 4] == pytest.approx(1)
    assert similarity[0, 1] > 0.2 > abs(similarity[0, 2])


def test_no_text_at_all_is_absence(encode):
    table = encode(["", "", ""])
    assert table.vectors.shape == (3, 0)
    assert not table.present.any()


def test_the_width_is_the_rank_or_the_configured_one(encode):
    titles = ["alpha", "beta", "gamma", "alpha beta"]
    assert encode(titles).card.dim == encode(titles).vectors.shape[1] == 3
    assert encode(titles, dim=2).card.dim == 2


def test_the_same_input_gives_the_same_bytes(encode):
    assert encode(TITLES).vectors.tobytes() == encode(TITLES).vectors.tobytes()


def test_the_card_says_that_no_language_model_was_used(encode):
    notes = encode(TITLES).card.notes
    assert "No pretrained language model" in notes
    assert "a test" in notes


def test_fields_are_joined_in_the_configured_order(make_catalogue):
    facts = {"plot": [("A cop   hunts", "a thief."), (), ()]}
    catalogue = make_catalogue(["Heat", "Casino", ""], facts=facts)
    assert movie_texts(catalogue, ["title", "plot"]) == ["Heat. A cop hunts a thief.", "Casino", ""]
    assert movie_texts(catalogue, ["plot", "title"])[0] == "A cop hunts a thief.. Heat"


def test_an_unknown_field_is_named_with_what_there_is(make_catalogue):
    catalogue = make_catalogue(["Heat"], facts={"plot": [("x",)]})
    with pytest.raises(ConfigError, match=r"no field 'plto'[\s\S]*plot"):
        movie_texts(catalogue, ["title", "plto"])
    with pytest.raises(ConfigError, match="labels"):
        movie_texts(catalogue, ["genres"])
