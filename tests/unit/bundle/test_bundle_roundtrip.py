import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from support.served import parts_of

from recsys.bundle import write_bundle
from recsys.bundle.manifest import FILES
from recsys.config.loading import load_experiment
from recsys.evaluation.report import EvaluationDocument, RatingScores, SplitReference
from recsys.recommenders.saving import load, restore


@pytest.fixture
def metrics(contents):
    split = contents.provenance.split
    return EvaluationDocument(
        split=SplitReference(name=split.name, seed=split.seed, fingerprint=split.fingerprint),
        rating=RatingScores(rmse=0.9123456789, mae=0.7),
        ranking={"ndcg@10": 0.31, "coverage@10": 0.5},
        genre={"macro_f1": 0.4},
        n_users=20,
        model=contents.label,
    )


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_comes_back(bundle_dir, contents):
    loaded = load(bundle_dir).contents
    assert loaded.arrays.keys() == contents.arrays.keys()
    for name, array in contents.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].dtype == array.dtype
    one, other = (parts_of(c) for c in (loaded, contents))
    assert replace(one.tower, weights={}) == replace(other.tower, weights={})
    assert one.model.rating == other.model.rating
    assert (loaded.config, loaded.provenance) == (contents.config, contents.provenance)
    assert (loaded.model, loaded.about) == (contents.model, contents.about)
    assert loaded.context.histories.users == contents.context.histories.users
    matrices = [c.context.histories.matrix() for c in (loaded, contents)]
    assert (matrices[0] != matrices[1]).nnz == 0
    assert (loaded.context.seen != contents.context.seen).nnz == 0
    assert loaded.metrics is None
    assert loaded.label == contents.label


def test_the_catalogue_comes_back(bundle_dir, contents):
    loaded, written = load(bundle_dir).contents.context.catalogue, contents.context.catalogue
    assert loaded.items == written.items
    assert (loaded.titles, loaded.genre_names) == (written.titles, written.genre_names)
    np.testing.assert_array_equal(loaded.years, written.years)
    np.testing.assert_array_equal(loaded.genres, written.genres)


def test_saving_what_was_loaded_gives_the_same_bytes(bundle_dir, tmp_path, contents, metrics):
    write_bundle(bundle_dir, replace(contents, metrics=metrics), restore)
    write_bundle(tmp_path / "again", load(bundle_dir).contents, restore)
    assert bytes_of(tmp_path / "again") == bytes_of(bundle_dir)


def test_only_the_known_files_and_all_of_them(bundle_dir, tmp_path, contents, metrics):
    assert set(bytes_of(bundle_dir)) == FILES - {"metrics.json"}
    write_bundle(tmp_path / "evaluated", replace(contents, metrics=metrics), restore)
    assert set(bytes_of(tmp_path / "evaluated")) == FILES
    assert load(tmp_path / "evaluated").contents.metrics == metrics


def test_the_manifest_vouches_for_every_other_file(bundle_dir):
    files = bytes_of(bundle_dir)
    manifest = json.loads(files.pop("manifest.json"))
    assert files.pop("manifest.sha256").split()[1] == b"manifest.json"
    assert manifest["files"].keys() == files.keys()
    for name, data in files.items():
        assert manifest["files"][name]["sha256"] == hashlib.sha256(data).hexdigest()
        assert manifest["files"][name]["size"] == len(data)
    assert manifest["provenance"]["encoders"].keys() == {"metadata", "text"}
    assert manifest["versions"].keys() == {"faiss", "numpy", "recsys"}


def test_the_experiment_is_an_ordinary_configuration(bundle_dir, contents):
    assert load_experiment(bundle_dir / "experiment.yaml") == contents.config


def test_the_version_follows_the_arrays_and_not_the_metrics(contents, metrics):
    assert replace(contents, metrics=metrics).version == contents.version
    for name, array in contents.arrays.items():
        if array.size:
            other = {**contents.arrays, name: array + np.asarray(1e-3, dtype=array.dtype)}
            assert replace(contents, arrays=other).version != contents.version
    assert replace(contents, model="ease").version != contents.version


def test_no_file_is_a_pickle(bundle_dir):
    assert not [name for name, data in bytes_of(bundle_dir).items() if data[:1] == b"\x80"]


def test_the_model_card_states_data_split_metrics_and_licence(bundle_dir, contents, metrics):
    write_bundle(bundle_dir, replace(contents, metrics=metrics), restore)
    _, front, text = (bundle_dir / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    matter = yaml.safe_load(front)
    assert matter["license_name"] == contents.provenance.dataset.licence
    assert matter["datasets"] == ["toy"]
    values = {m["type"]: m["value"] for m in matter["model-index"][0]["results"][0]["metrics"]}
    assert values == {
        "rmse": 0.912346, "mae": 0.7, "ndcg@10": 0.31, "coverage@10": 0.5, "macro_f1": 0.4,
    }  # fmt: skip
    for expected in ("`ro`", "seed 2020", "| ndcg@10 | 0.3100 |", "## Limits", "toy text"):
        assert expected in text


def test_the_card_of_a_model_without_evaluation_says_so(bundle_dir):
    assert "not evaluated" in (bundle_dir / "README.md").read_text(encoding="utf-8")
