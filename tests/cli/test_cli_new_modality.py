"""A modality is a row of the registry and a file with its encoder: nothing else is told of it."""

from __future__ import annotations

import json
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from recsys.config.loading import load_experiment
from recsys.config.modalities import MODALITIES, FeaturesConfig, Files, Modality
from recsys.config.section import Section
from recsys.errors import ConfigError, MissingExtra
from recsys.features.cache import FeatureCache
from recsys.features.extract import extract
from recsys.testing.worlds import two_genre_world

FILE = '''
from pathlib import Path
import numpy as np
from recsys.config.section import Section
from recsys.data.catalogue import EncoderCard

class SubtitleConfig(Section):
    dim: int = 4

class SubtitleEncoder:
    """How often each of the first letters is written."""

    name = "subtitles"

    def __init__(self, config):
        self.config = config

    @property
    def card(self):
        return EncoderCard("letters", "1", self.config.dim, "none", "counts", "none", "none")

    def encode_file(self, path):
        text = path.read_text()
        return np.array([text.count(chr(97 + n)) for n in range(self.config.dim)], np.float32)
'''
SUBTITLED = 40


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Modality:
    (tmp_path / "subtitle_letters.py").write_text(FILE)
    monkeypatch.syspath_prepend(str(tmp_path))
    options = resolve_name("subtitle_letters:SubtitleConfig")
    files = Files("subtitles", (".srt",))
    made = Modality(options, "subtitle_letters:SubtitleEncoder", "none", files)
    monkeypatch.setitem(MODALITIES, "subtitles", made)
    return made


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "srt"
    folder.mkdir()
    for movie in range(SUBTITLED):
        (folder / f"{100 + movie}.srt").write_text("abba dada"[: 1 + movie % 9])
    config = tmp_path / "mine.yaml"
    config.write_text(
        f"sources: {{subtitles: {{path: {folder}}}, jobs: {{workers: 1}}}}\n"
        "features: {text: null, subtitles: {dim: 3}}\n"
        "training: {epochs: 2, evaluate_every: 1}\n"
        "placement: {weights: {subtitles: 2.0}}\n"
    )
    return config


def _document(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_new_modality_is_encoded_described_and_exported(
    run: Any, row: Modality, mine: Path, tiny_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn", reason="facts are reduced by scikit-learn")
    options = ("--config", mine, "--data", tiny_data)
    made = _document(run("features", "extract", *options, "--format", "json"))
    assert made["files"]["subtitles"] == {"ok": SUBTITLED, "missing": 60 - SUBTITLED}
    described = _document(run("features", "describe", *options, "--format", "json"))
    found = {entry["name"]: entry for entry in described["modalities"]}["subtitles"]
    assert (found["encoder"], found["dim"], found["present"]) == ("letters", 3, SUBTITLED)
    exports = tmp_path / "exports"
    written = run("features", "export", *options, "--format", "parquet", "--out", exports)
    assert str(exports / "subtitles.parquet") in written.stdout


def test_the_joint_model_trains_on_a_new_modality_and_serves_it(
    run: Any, row: Modality, mine: Path, tiny_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the joint model is trained by torch")
    out = tmp_path / "bundle"
    trained = run("train", "--config", mine, "--data", tiny_data, "--out", out)
    assert trained.exit_code == 0, trained.output
    assert "letters" in trained.output
    similar = run("similar", "Heat (1960)", "--bundle", out, "--format", "json")
    assert similar.exit_code == 0, similar.output
    with_all, without = (
        _document(run("evaluate", "--bundle", out, "--data", tiny_data, *more, "--format", "json"))
        for more in ((), ("--modalities", "metadata"))
    )
    assert with_all != without


def test_the_sections_of_a_configuration_follow_from_the_rows(row: Modality, mine: Path) -> None:
    experiment = load_experiment(mine)
    assert experiment.features.subtitles.dim == 3
    assert load_experiment("default").features.subtitles == row.options()
    assert load_experiment("default").sources.subtitles is None
    with pytest.raises(ConfigError, match=r"features\.subtitels.*did you mean 'subtitles'"):
        load_experiment("default", ["features.subtitels.dim=3"])
    with pytest.raises(ConfigError, match=r"features\.subtitles\.dmi.*did you mean 'dim'"):
        load_experiment("default", ["features.subtitles.dmi=3"])


def test_without_its_row_a_modality_is_an_unknown_key(mine: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'features\.subtitles'"):
        load_experiment(mine)


def test_a_library_that_a_row_needs_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_more.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(MODALITIES, "more", Modality(Section, "needs_more:Encoder", "vision"))
    config = FeaturesConfig(**{**dict.fromkeys(MODALITIES), "more": {}})
    with pytest.raises(MissingExtra, match=r"no_such_library is not installed\n.*recsys\[vision\]"):
        extract(two_genre_world().catalogue, config, cache=FeatureCache(tmp_path))


@pytest.mark.parametrize("name", MODALITIES)
def test_every_row_names_its_encoder(name: str) -> None:
    row = MODALITIES[name]
    if row.extra == "trailers":
        pytest.importorskip("av", reason="trailers are decoded by PyAV")
    assert resolve_name(row.encoder)(row.options()).name == name
