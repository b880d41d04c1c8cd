import json

import numpy as np
import pytest
from support.trailers import RATE, clicks, tone, write_film

from recsys.config.modalities import AudioConfig, PretrainedAudioConfig
from recsys.errors import ConfigError
from recsys.features.audio import AudioEncoder
from recsys.features.audio_pretrained import PretrainedAudio
from recsys.features.media import FileStatus, MediaError

pytest.importorskip("av")
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def transformers():
    from recsys.features.torch_compat import declare_torchvision_operators

    declare_torchvision_operators()
    return pytest.importorskip("transformers")


def saved(folder, model, extractor):
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    return folder


@pytest.fixture(scope="module")
def ast(transformers, tmp_path_factory):
    """A randomly initialised Audio Spectrogram Transformer of one layer."""
    config = transformers.ASTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_length=128,
        num_mel_bins=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.ASTModel(config)
    extractor = transformers.ASTFeatureExtractor(num_mel_bins=16, max_length=128)
    return saved(tmp_path_factory.mktemp("weights") / "tiny-ast", model, extractor)


@pytest.fixture(scope="module")
def clap(transformers, tmp_path_factory):
    """A randomly initialised CLAP, its tower of text as small as it can be."""
    audio = {
        "window_size": 4,
        "num_mel_bins": 16,
        "spec_size": 64,
        "hidden_size": 32,
        "patch_embeds_hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [1, 2],
        "projection_dim": 8,
    }
    text = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 8}
    config = transformers.ClapConfig(
        text_config=text | {"intermediate_size": 8, "projection_dim": 8},
        audio_config=audio,
        projection_dim=8,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.ClapModel(config)
    extractor = transformers.ClapFeatureExtractor(
        **{"feature_size": 16, "max_length_s": 1, "sampling_rate": 8_000},
        **{"frequency_max": 4_000, "truncation": "rand_trunc"},
    )
    return saved(tmp_path_factory.mktemp("weights") / "tiny-clap", model, extractor)


@pytest.fixture
def film(tmp_path):
    return write_film(tmp_path / "film.wav", sound=[np.concatenate([tone(3), clicks(3, 200)])])


def encoder(folder, kind="pretrained", **changes):
    pretrained = PretrainedAudioConfig(path=folder, window_seconds=1, **changes)
    return AudioEncoder(AudioConfig(kind=kind, pretrained=pretrained))


@pytest.mark.parametrize(("weights", "dim"), [("ast", 16), ("clap", 8)])
def test_a_pretrained_encoder_hears_a_film(request, film, weights, dim):
    folder = request.getfixturevalue(weights)
    found = encoder(folder).encode_file(film)
    assert found.shape == (dim,) == (encoder(folder).card.dim,)
    assert np.isfinite(found).all()
    assert found.std() > 0
    np.testing.assert_array_equal(found, encoder(folder).encode_file(film))


def test_the_vector_is_the_mean_over_pieces(transformers, ast, film):
    from recsys.features.decoding import audio_samples

    model = transformers.ASTModel.from_pretrained(ast).eval()
    extractor = transformers.ASTFeatureExtractor.from_pretrained(ast)
    sound = np.concatenate(list(audio_samples(film, 16_000, AudioConfig())))
    heard = []
    for second in range(6):
        piece = sound[second * 16_000 : (second + 1) * 16_000]
        with torch.inference_mode():
            inputs = extractor(piece, sampling_rate=16_000, return_tensors="pt")
            heard.append(model(**inputs).pooler_output[0].numpy())
    found = encoder(ast, windows=6).encode_file(film)
    np.testing.assert_allclose(found, np.mean(heard, axis=0), atol=1e-5)


def test_both_kinds_stand_side_by_side(ast, film):
    both = encoder(ast, kind="both")
    expected = np.concatenate(
        [AudioEncoder(AudioConfig()).encode_file(film), encoder(ast).encode_file(film)]
    )
    np.testing.assert_array_equal(both.encode_file(film), expected)
    assert both.card.dim == len(expected)


def test_the_card_names_the_weights(ast):
    card = encoder(ast).card
    assert (card.name, card.licence) == ("tiny-ast", "cc0-1.0")
    assert card.revision.startswith("sha256:")
    assert "Gong" in card.paper
    assert card != encoder(ast, windows=3).card


def test_a_blink_of_sound_is_not_enough(ast, tmp_path):
    path = write_film(tmp_path / "blink.wav", sound=[tone(0.3)])
    with pytest.raises(MediaError, match=r"less than 0\.5 seconds") as caught:
        encoder(ast).encode_file(path)
    assert caught.value.status is FileStatus.TRUNCATED


def test_a_missing_folder_names_the_key(tmp_path):
    with pytest.raises(ConfigError, match=r"features\.audio\.pretrained\.path"):
        _ = encoder(tmp_path / "nowhere").card


def test_a_model_of_text_is_refused(tiny_bert, film):
    with pytest.raises(ConfigError, match="cannot be loaded"):
        encoder(tiny_bert).encode_file(film)


def test_a_model_that_hears_otherwise_is_refused(ast, film, tmp_path):
    for file in ast.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = tmp_path / "preprocessor_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"max_length": 64}))
    with pytest.raises(ConfigError, match="cannot hear"):
        PretrainedAudio(PretrainedAudioConfig(path=tmp_path), AudioConfig()).encode_file(film)


def test_sounds_are_told_apart(ast, tmp_path):
    paths = [
        write_film(tmp_path / f"{name}.wav", sound=[sound])
        for name, sound in (("low", tone(2, 200)), ("high", tone(2, 4000)))
    ]
    low, high = (encoder(ast).encode_file(path) for path in paths)
    assert np.abs(low - high).max() > 1e-3
    assert RATE != 16_000  # the sound was resampled on its way
