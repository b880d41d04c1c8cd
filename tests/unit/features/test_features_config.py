import pytest
from pydantic import ValidationError

from recsys.config.modalities import FeaturesConfig, MetadataConfig, TextConfig
from recsys.errors import ConfigError
from recsys.features.cache import card_key
from recsys.features.metadata import MetadataEncoder
from recsys.features.text import text_encoder

LABELS = ["genre", "Genres", "tmdb_genres", "genre_names", "subgenre", "keyword", "plot_keywords"]
LABELS += ["plotKeywords", "tag", "TAGS", "user tags"]


@pytest.mark.parametrize("name", LABELS)
def test_a_field_that_names_genres_is_refused(name):
    with pytest.raises(ConfigError, match="labels and never inputs"):
        MetadataConfig(fields={"actor": 1.0, name: 1.0})
    with pytest.raises(ConfigError, match="labels and never inputs"):
        TextConfig(fields=("title", name))


@pytest.mark.parametrize("name", ["tagline", "language", "stage", "general_partner", "heritage"])
def test_a_field_that_only_resembles_a_label_is_taken(name):
    assert name in MetadataConfig(fields={name: 1.0}).fields
    assert TextConfig(fields=(name,)).fields == (name,)


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        (FeaturesConfig, {"txet": {}}),
        (TextConfig, {"model": "x"}),
        (TextConfig, {"fields": ()}),
        (TextConfig, {"path": "a", "hub": "b"}),
        (TextConfig, {"hub": "b", "backend": "tfidf"}),
        (TextConfig, {"batch_size": 0}),
        (MetadataConfig, {"fields": {"actor": 0.0}}),
        (MetadataConfig, {"fields": {"actor": float("nan")}}),
        (MetadataConfig, {"min_movies": 0}),
        (MetadataConfig, {"year_weight": float("inf")}),
    ],
)
def test_settings_that_cannot_be_used_are_refused(section, settings):
    with pytest.raises(ValidationError):
        section(**settings)


def test_the_configuration_survives_json_and_cannot_be_changed():
    config = FeaturesConfig(text=TextConfig(path="weights"), metadata=None)
    assert FeaturesConfig.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ValidationError):
        config.text = None


@pytest.mark.parametrize(
    ("encoder", "key"),
    [
        (
            MetadataEncoder(MetadataConfig()),
            "2b12f5a06fabe07eea3dc29378b99b1717b990edfa088450afed8208a45dd1d4",
        ),
        (
            text_encoder(TextConfig(backend="tfidf")),
            "7fc0c1cbf1094066f9eef5d4fec607610cd22bb81166cf938bc85054bf42ab24",
        ),
    ],
    ids=["metadata", "tfidf"],
)
def test_vectors_of_earlier_releases_are_found_in_the_cache(encoder, key):
    assert card_key(encoder.card) == key
