import functools
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from support.pictures import encoded, pixels

from recsys.config.modalities import BackboneConfig, PosterConfig
from recsys.errors import ConfigError, OfflineError
from recsys.features import backbone
from recsys.features.backbone import (
    BATCH,
    Backbone,
    BackboneWeights,
    find_weights,
    headless,
    torchvision_models,
)
from recsys.features.jobs import FileJob, JobOptions, extract_files
from recsys.features.poster import PosterEncoder

torch = pytest.importorskip("torch")
if importlib.util.find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)
Image = pytest.importorskip("PIL.Image")

SMALL = "shufflenet_v2_x0_5"


@pytest.fixture(scope="session")
def weights_of(tmp_path_factory):
    """A file of random weights of a model, with other than its usual number of classes."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("weights")

    def make(name, classes=7):
        path = folder / f"{name}.safetensors"
        if not path.exists():
            with torch.random.fork_rng():
                torch.manual_seed(0)
                model = torchvision_models().get_model(name, weights=None, num_classes=classes)
            save_file(model.state_dict(), path, metadata={"license": "cc0-1.0"})
        return path

    return make


@pytest.fixture
def small(weights_of):
    return BackboneConfig(model=SMALL, weights=str(weights_of(SMALL)), size=(64, 96))


def test_vectors_are_what_the_network_averages_before_its_head(weights_of):
    path = weights_of("mobilenet_v2")
    config = BackboneConfig(
        model="mobilenet_v2",
        weights=str(path),
        size=(96, 64),
        pixel_mean=(127, 127, 127),
        pixel_std=(127.5, 127.5, 127.5),
    )
    found = Backbone(config).frames(np.stack([pixels(n, (96, 64)) for n in range(3)]))
    model = torchvision_models().mobilenet_v2(num_classes=7)
    from safetensors.torch import load_file

    model.load_state_dict(load_file(path))
    inputs = np.stack([(pixels(n, (96, 64)).astype(np.float32) - 127) / 127.5 for n in range(3)])
    with torch.inference_mode():
        maps = model.eval().features(torch.from_numpy(inputs.transpose(0, 3, 1, 2).copy()))
    np.testing.assert_allclose(found, maps.mean(dim=(2, 3)).numpy(), atol=1e-5)
    assert found.std(axis=0).max() > 0


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        (SMALL, 1024),
        ("resnet18", 512),
        ("mobilenet_v3_small", 1024),
        ("efficientnet_b0", 1280),
        ("densenet121", 1024),
        ("regnet_y_400mf", 440),
    ],
)
def test_any_classification_model_loses_its_head_alone(weights_of, name, dim):
    weights = BackboneWeights(name, weights_of(name))
    assert weights.stated[1:] == (7, dim, "cc0-1.0")
    network = headless(weights)
    whole = torchvision_models().get_model(name, weights=None, num_classes=7)
    from safetensors.torch import load_file

    state = load_file(weights.file)
    whole.load_state_dict(state)
    inputs = torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features, classes = network(inputs), whole.eval()(inputs)
        assert features.shape == (2, dim)
        head = torch.nn.functional.linear(
            features,
            state[f"{weights.stated.head}.weight"],
            state.get(f"{weights.stated.head}.bias"),
        )
    np.testing.assert_allclose(head.numpy(), classes.numpy(), atol=1e-4)


def test_pictures_may_come_in_any_form_and_number(small):
    backbone = Backbone(small)
    arrays = [pixels(n, (64, 96)) for n in range(BATCH + 2)]
    vectors = backbone.frames(arrays)
    assert vectors.shape == (BATCH + 2, backbone.card.dim)
    assert vectors.dtype == np.float32
    images = [Image.fromarray(array) for array in arrays]
    for same in (np.stack(arrays), images):
        assert np.array_equal(backbone.frames(same), vectors)
    np.testing.assert_allclose(backbone.frames(arrays[3:4])[0], vectors[3], atol=1e-5)
    assert backbone.frames([]).shape == (0, backbone.card.dim)
    grey = backbone.frames([images[0].convert("L"), images[1].resize((40, 70))])
    assert np.isfinite(grey).all()


def test_loading_leaves_the_random_numbers_of_others_alone(small):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    Backbone(small).frames([pixels(1)])
    assert torch.rand(1) == expected


def test_the_card_is_made_without_torch(small):
    script = (
        "import sys\n"
        "from recsys.config.modalities import BackboneConfig\n"
        "from recsys.config.modalities import PosterConfig\n"
        "from recsys.features.poster import PosterEncoder\n"
        f"config = BackboneConfig(model={SMALL!r}, weights=sys.argv[1])\n"
        "card = PosterEncoder(PosterConfig(kind='backbone', backbone=config)).card\n"
        "print(card.dim, card.revision[:7], card.licence, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", script, small.weights]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "1024 sha256: cc0-1.0 False\n"


@pytest.mark.parametrize(
    "change",
    [
        {"size": (64, 64)},
        {"pixel_mean": (1, 2, 3)},
        {"pixel_std": (1, 2, 3)},
        {"model": "shufflenet_v2_x1_0"},
    ],
)
def test_every_setting_that_changes_a_vector_shows_in_the_card(small, change):
    other = small.model_copy(update=change)
    one, two = (
        PosterEncoder(PosterConfig(kind="backbone", backbone=config)).card
        for config in (small, other)
    )
    assert one != two


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "nowhere.safetensors"}, "there is no file nowhere.safetensors"),
        ({"model": "shufflenet_v9"}, "did you mean shufflenet"),
        ({"model": "mobilenet_v2"}, "is not a state of mobilenet_v2"),
    ],
)
def test_wrong_names_and_weights_are_explained(small, change, message):
    with pytest.raises(ConfigError, match=message):
        Backbone(small.model_copy(update=change)).frames([pixels(1)])


def test_a_network_whose_state_is_more_than_tensors_is_refused(weights_of):
    config = BackboneConfig(model="mnasnet0_5", weights=str(weights_of("mnasnet0_5")))
    with pytest.raises(ConfigError, match="version should be set"):
        Backbone(config).frames([pixels(1)])


def test_files_that_hold_no_network_are_refused(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "some.safetensors"
    path.write_bytes(b"no tensors here")
    with pytest.raises(ConfigError, match="is not a safetensors file"):
        _ = BackboneWeights("resnet18", path).stated
    save_file({"layer.weight": np.zeros((2, 2))}, path)
    with pytest.raises(ConfigError, match="no linear head"):
        _ = BackboneWeights("resnet18", path).stated


def test_a_size_that_the_network_cannot_read_is_explained(weights_of):
    config = BackboneConfig(
        model="swin_t", weights=str(weights_of("swin_t", classes=2)), size=(32, 32)
    )
    assert Backbone(config).frames([pixels(1)]).shape == (1, 768)
    path = weights_of("vit_b_32", classes=2)
    config = BackboneConfig(model="vit_b_32", weights=str(path), size=(64, 64))
    with pytest.raises(ConfigError, match=r"cannot read \(64, 64\) pixels"):
        Backbone(config).frames([pixels(1)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (16, 224)},
        {"size": (224, 4096)},
        {"pixel_std": (0, 1, 1)},
        {"pixel_mean": (-1, 0, 0)},
        {"pixel_mean": (float("nan"), 0, 0)},
        {"model": ""},
        {"depth": 3},
    ],
)
def test_configurations_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        BackboneConfig(**wrong)


class Published:
    """A stand-in for one of torchvision's weights."""

    url = "https://example.org/models/tiny-0123abcd.pth"

    def __init__(self, outcome):
        self.outcome = outcome
        self.asked = []

    def get_state_dict(self, **options):
        self.asked.append(options)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def published(monkeypatch, tmp_path, small):
    from safetensors.torch import load_file

    monkeypatch.setenv("RECSYS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("RECSYS_OFFLINE", raising=False)

    def make(outcome=None):
        stand_in = Published(load_file(small.weights) if outcome is None else outcome)
        monkeypatch.setattr(backbone, "_published", lambda _: stand_in)
        return stand_in

    return make


def test_published_weights_are_fetched_once_as_tensors_only(published, small):
    source = published()
    config = small.model_copy(update={"weights": "DEFAULT"})
    first, second = find_weights(config), find_weights(config)
    assert source.asked == [{"progress": False, "check_hash": True, "weights_only": True}]
    assert first == second
    assert first.file.suffix == ".safetensors"
    vectors = [Backbone(c).frames([pixels(1)]) for c in (small, config)]
    assert np.array_equal(*vectors)


@pytest.mark.parametrize("outcome", [OSError("no route"), RuntimeError("invalid hash value")])
def test_weights_out_of_reach_are_an_offline_error(published, small, outcome):
    source = published(outcome)
    with pytest.raises(OfflineError, match=str(outcome)):
        find_weights(small.model_copy(update={"weights": "DEFAULT"}))
    assert len(source.asked) == 1


def test_offline_only_what_was_downloaded_before_is_used(published, small, monkeypatch, tmp_path):
    source = published()
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    config = small.model_copy(update={"weights": "DEFAULT"})
    with pytest.raises(OfflineError, match="RECSYS_OFFLINE is set"):
        find_weights(config)
    assert source.asked == []
    before = tmp_path / "hub" / "hub" / "checkpoints" / "tiny-0123abcd.pth"
    before.parent.mkdir(parents=True)
    before.write_bytes(b"")
    assert find_weights(config).file.is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "IMAGENET9K"}, "torchvision publishes IMAGENET1K_V1"),
        ({"model": "resnet9", "weights": "DEFAULT"}, "did you mean resnet"),
    ],
)
def test_names_that_torchvision_does_not_publish_are_explained(
    small, change, message, monkeypatch, tmp_path
):
    monkeypatch.setenv("RECSYS_CACHE_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match=message):
        find_weights(small.model_copy(update=change))


def test_posters_go_through_the_network_in_processes(small, tmp_path, cache, make_catalogue):
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(encoded(number))
    (tmp_path / "2.jpg").write_bytes(b"broken")
    files = [FileJob(str(n + 1), n, tmp_path / f"{n}.jpg") for n in range(4)]
    factory = functools.partial(PosterEncoder, PosterConfig(kind="backbone", backbone=small))
    table = extract_files(factory, files, cache, JobOptions(workers=2)).table(
        make_catalogue("abcd"), cache
    )
    assert table.present.tolist() == [True, True, False, True]
    np.testing.assert_allclose(np.linalg.norm(table.vectors[[0, 1, 3]], axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(table.vectors[3], factory().encode_file(files[3].path), atol=1e-6)


def test_weights_of_another_model_stop_the_run(small, tmp_path, cache):
    (tmp_path / "1.jpg").write_bytes(encoded(1))
    wrong = PosterConfig(kind="backbone", backbone=small.model_copy(update={"model": "resnet18"}))
    files = [FileJob("1", 0, tmp_path / "1.jpg")]
    with pytest.raises(ConfigError, match="is not a state of resnet18"):
        extract_files(functools.partial(PosterEncoder, wrong), files, cache, JobOptions(workers=1))
