from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from recsys.cli import doctor
from recsys.cli.trials import TRIALS


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed works, and it takes no time to say so."""
    monkeypatch.setattr(doctor, "tried", lambda _: None)


def _checks(result: Any) -> dict[str, dict[str, str]]:
    document = json.loads(result.stdout)
    assert list(document) == ["schema_version", "checks"]
    return {check["name"]: check for check in document["checks"]}


def _forget(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    known = metadata.version

    def version(name: str) -> str:
        if name in libraries:
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.slow
def test_everything_is_there(run: Any, served: Path, tiny_data: Path) -> None:
    result = run("doctor", "--data", tiny_data, "--format", "json")
    assert result.exit_code == 0
    found = _checks(result)
    assert found["core"]["status"] == found["FAISS"]["status"] == "ok"
    assert found["data"]["found"] == f"tiny in {tiny_data}"
    assert "60 users" in found["bundle"]["found"]
    assert all(check["advice"] == "" for check in found.values() if check["status"] == "ok")


def test_without_extras_data_and_bundle_the_core_still_works(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    libraries = [library for extra in doctor.EXTRAS for library in extra.libraries]
    _forget(monkeypatch, *libraries)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.chdir(tmp_path)
    result = run("doctor", "--data", tmp_path, "--format", "json")
    assert result.exit_code == 0
    found = _checks(result)
    for name in (extra.name for extra in doctor.EXTRAS):
        assert found[f"extra {name}"]["status"] == "warning"
        assert f"recsys[{name}]" in found[f"extra {name}"]["advice"]
    assert found["data"]["status"] == found["bundle"]["status"] == "warning"
    assert "recsys data fetch" in found["data"]["advice"]
    assert "recsys train" in found["bundle"]["advice"]


def test_a_missing_core_library_is_a_problem(
    run: Any, untried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forget(monkeypatch, "safetensors")
    result = run("doctor", "--format", "json")
    assert result.exit_code == 2
    assert _checks(result)["core"]["found"] == "missing: safetensors"


def test_a_core_library_that_does_not_import_is_a_problem(
    run: Any, untried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    result = run("doctor", "--format", "json")
    assert result.exit_code == 2
    assert "safetensors: ModuleNotFoundError" in _checks(result)["core"]["found"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("raise RuntimeError('no codec')", "RuntimeError: no codec"),
        ("import os; os.abort()", "killed by SIGABRT"),
    ],
)
def test_what_is_installed_and_broken_is_a_problem(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    tune = next(extra for extra in doctor.EXTRAS if extra.name == "tune")
    monkeypatch.setattr(doctor, "EXTRAS", (replace(tune, libraries=()),))  # installed anywhere
    (tmp_path / "optuna.py").write_text(script)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run("doctor", "--format", "json")
    assert result.exit_code == 2
    found = _checks(result)["extra tune"]
    assert found["status"] == "problem"
    assert said in found["found"]
    assert "force-reinstall" in found["advice"]


def test_what_takes_for_ever_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.01)
    assert doctor.tried("train") == "not done after 0.01 seconds"


def test_every_extra_has_a_trial() -> None:
    assert set(TRIALS) == {extra.name for extra in doctor.EXTRAS}


def test_an_index_that_answers_wrongly_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_index().status is doctor.Status.OK
    monkeypatch.setattr("recsys.retrieval.faiss_flat.FaissFlatIndex.build", lambda _: None)
    broken = doctor.check_index()
    assert broken.status is doctor.Status.PROBLEM
    assert "faiss-cpu" in broken.advice


def test_a_damaged_bundle_is_a_problem(
    run: Any, untried: None, trained: Any, tmp_path: Path
) -> None:
    damaged = shutil.copytree(trained.bundle, tmp_path / "b")
    (damaged / "index.faiss").unlink()
    result = run("doctor", "--bundle", damaged)
    assert result.exit_code == 4
    assert "index.faiss" in result.stdout
    assert "problem" in result.stdout


def test_the_size_of_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_CACHE_DIR", str(tmp_path))
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "x").write_bytes(bytes(3 * 2**20))
    assert any("3.0 MB" in check.found for check in doctor.check_caches())
