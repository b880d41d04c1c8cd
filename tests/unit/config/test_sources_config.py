from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from recsys.config.loading import load_experiment
from recsys.config.sources import SourcesConfig, TmdbConfig
from recsys.data.items_spec import FieldSpec, ItemsTable
from recsys.data.tmdb.settings import TmdbSettings
from recsys.errors import ConfigError

OWN = """
items:
  - path: movies.csv
    id_column: id
    key: imdb
    title: name
    genres: {column: kinds, separator: ","}
    fields:
      director: director
      actor: {column: cast, names: true, limit: 5}
      plot: {column: plot, kind: text}
  - path: tmdb
    preset: the-movies-dataset
    existing: fill
    drop: [collection]
    fields: {overview: {column: overview, kind: text}}
links: links.csv
tmdb: {rate: 4}
"""


def test_a_configuration_says_what_a_table_is() -> None:
    config = SourcesConfig.model_validate(yaml.safe_load(OWN))
    own, published = config.items
    assert own == ItemsTable(
        path=Path("movies.csv"),
        fields={
            "director": FieldSpec(column="director"),
            "actor": FieldSpec(column="cast", names=True, limit=5),
            "plot": FieldSpec(column="plot", kind="text"),
        },
        id_column="id",
        key="imdb",
        title="name",
        genres=FieldSpec(column="kinds", separator=","),
    )
    base = ItemsTable(path=Path("tmdb"), preset="the-movies-dataset")
    assert published.existing == "fill"
    assert published.key == base.key
    assert set(base.fields) - set(published.fields) == {"collection"}
    assert published.fields["overview"] == FieldSpec(column="overview", kind="text")
    assert config.tmdb is not None
    assert config.tmdb.settings() == TmdbSettings(rate=4)


def test_nothing_is_read_unless_it_is_asked_for() -> None:
    assert SourcesConfig() == SourcesConfig(items=(), links=None, tmdb=None)
    assert TmdbConfig().settings() == TmdbSettings()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preset": "mmtf14k"}, "no preset 'mmtf14k'"),
        ({"preset": None}, "give its id_column"),
        ({"key": "title", "id_column": "id", "preset": None}, "give its title"),
        ({"fields": {"tags": "tags"}}, "names genres"),
        ({"fields": {"x": "tmdb_genres"}}, "names genres"),
    ],
)
def test_a_table_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ItemsTable.model_validate({"path": "x", "preset": "mmtf-14k"} | change)


@pytest.mark.parametrize(
    "change", [{"colour": 1}, {"key": "isbn"}, {"fields": {"x": {"column": "x", "limit": 0}}}]
)
def test_a_value_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ItemsTable.model_validate({"path": "x", "preset": "mmtf-14k"} | change)


@pytest.mark.parametrize(
    "change", [{"rate": 41}, {"attempts": 0}, {"language": "english"}, {"key": "k"}]
)
def test_tmdb_is_asked_within_its_limits(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TmdbConfig.model_validate(change)


@pytest.mark.parametrize("name", ["my.audio", "audio/left", ""])
def test_a_modality_is_called_what_its_weights_can_be_called(name: str, tmp_path: Path) -> None:
    document = {"sources": {"features": {name: {"source": "file", "path": "x.npy"}}}}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError, match=r"no '\.' and no '/'") as refused:
        load_experiment(path)
    assert "mine.yaml: sources.features" in str(refused.value)
    assert repr(name) in str(refused.value)


def test_any_other_name_is_good() -> None:
    features = {"CLIP ViT-B 32": {"source": "file", "path": "x.npy"}}
    assert list(SourcesConfig.model_validate({"features": features}).features) == list(features)
