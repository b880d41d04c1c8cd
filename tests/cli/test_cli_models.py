"""Models other than the joint one, from the list of them to what they answer."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recsys.engine import Engine
from recsys.recommenders.registry import MODELS


@pytest.fixture(scope="session")
def ease(run: Any, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What ``recsys train --model ease`` says and leaves."""
    bundle = tmp_path_factory.mktemp("runs") / "ease"
    options = ("--model", "ease", "--set", "l2=20", "--seed", 7, "--format", "json")
    result = run("train", "--data", tiny_data, "--out", bundle, *options)
    assert result.exit_code == 0, result.output
    return bundle, result


def test_every_model_is_listed_with_what_it_answers(run: Any) -> None:
    known = json.loads(run("models", "--format", "json").stdout)
    assert [model["name"] for model in known] == list(MODELS)
    by_name = {model["name"]: model for model in known}
    answers = {name: by_name[name]["answers"] for name in ("joint", "ease", "bias", "popularity")}
    assert answers == {
        "joint": ["lists", "reasons", "similar", "stars", "new users", "new movies"],
        "ease": ["lists", "reasons", "similar", "new users"],
        "bias": ["stars", "new users"],
        "popularity": ["lists", "reasons", "new users"],
    }
    assert by_name["content-knn"]["by_modality"]
    assert (by_name["implicit-als"]["library"], by_name["implicit-als"]["extra"]) == (
        "implicit",
        "bench",
    )
    for line, model in zip(run("models").stdout.splitlines()[2:], known, strict=True):
        assert line.split()[0].removesuffix("[:MODALITY]") == model["name"]
        assert model["summary"] in line


def test_what_is_not_installed_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.recommenders.registry.find_spec", lambda _: None)
    lines = {line.split()[0]: line for line in run("models").stdout.splitlines()[2:]}
    assert lines["implicit-als"].endswith("pip install 'recsys[bench]'")
    assert lines["joint"].endswith("pip install 'recsys[train]'")
    assert lines["ease"].endswith("nothing more")


def test_another_model_is_trained_and_measured(run: Any, ease: Any, tiny_data: Path) -> None:
    bundle, result = ease
    topics = [line.split()[0] for line in result.stderr.splitlines()]
    assert topics == ["note:", "data", "split", "fitted", "bundle"]
    first = json.loads(result.stdout)
    assert first["rating"] is None
    again = json.loads(
        run("evaluate", "--bundle", bundle, "--data", tiny_data, "--format", "json").stdout
    )
    assert again["ranking"] == first["ranking"]
    assert again["model"] == first["model"]
    assert first["model"].startswith("ease-")
    chosen = Engine.load(bundle).contents.config
    assert (chosen.recommender.name, chosen.recommender.options) == ("ease", {"l2": 20})
    assert (chosen.seed, chosen.split.seed) == (7, 7)


def test_another_model_answers(run: Any, ease: Any) -> None:
    engine, place = Engine.load(ease[0]), ("--bundle", ease[0], "--format", "json")
    listed = json.loads(run("recommend", "--user", "u1", *place).stdout)
    assert listed == engine.recommend("u1").document()
    named = json.loads(run("recommend", "--like", "Heat (1960)", *place).stdout)
    assert named["items"] == engine.recommend(engine.profile("100")).document()["items"]
    alike = json.loads(run("similar", "Heat (1960)", "--k", 3, *place).stdout)
    assert alike == engine.similar("100", 3).document()


@pytest.mark.parametrize(
    ("verb", "named"),
    [
        (("predict", "--user", "u1", "100"), "ease ranks movies and predicts no stars"),
        (("movie", "100"), "ease knows neither genres nor audience scores"),
        (("evaluate", "--subsets"), "ease cannot be asked without some of its modalities"),
    ],
)
def test_what_another_model_cannot_answer(
    run: Any, ease: Any, tiny_data: Path, verb: tuple[str, ...], named: str
) -> None:
    data = ("--data", tiny_data) if verb[0] == "evaluate" else ()
    result = run(*verb, "--bundle", ease[0], *data)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr


def test_a_model_of_stars_alone(run: Any, tiny_data: Path, tmp_path: Path) -> None:
    args = ("train", "--model", "bias", "--data", tiny_data, "--out", tmp_path / "b")
    assert run(*args).exit_code == 0
    result = run("recommend", "--user", "u1", "--bundle", tmp_path / "b")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "bias predicts stars and ranks nothing" in result.stderr
    answer = run("predict", "--user", "u1", "100", "--bundle", tmp_path / "b", "--format", "csv")
    assert answer.stdout.splitlines()[1].endswith(",,,")
    assert "–" in run("predict", "--user", "u1", "100", "--bundle", tmp_path / "b").stdout


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--model", "eese"), "did you mean ease"),
        (("--model", "ease:text"), "there is no model 'ease:text'"),
        (("--model", "ease", "--set", "l3=5"), "did you mean l2"),
        (("--model", "ease", "--set", "l2=much"), "l2"),
        (("--model", "ease", "--set", "split.nam=u1"), "name"),
        (("--model", "item-knn", "--set", "k=0"), "k is 0"),
        (("--set", "training.epoch=5"), "did you mean"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(
    run: Any, tmp_path: Path, options: tuple[str, ...], named: str
) -> None:
    result = run("train", "--out", tmp_path / "b", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr
    assert list(tmp_path.glob("b*")) == []


def test_there_is_nothing_to_resume(run: Any, tiny_data: Path, tmp_path: Path) -> None:
    args = ("--model", "popularity", "--data", tiny_data, "--out", tmp_path / "b", "--resume")
    result = run("train", *args)
    assert result.exit_code == 0
    assert "there is nothing to resume" in result.stderr


def test_a_bundle_of_an_older_layout_says_how_to_make_another(
    run: Any, ease: Any, tmp_path: Path
) -> None:
    old = shutil.copytree(ease[0], tmp_path / "old")
    manifest = json.loads((old / "manifest.json").read_bytes()) | {"schema_version": 3}
    text = json.dumps(manifest).encode()
    (old / "manifest.json").write_bytes(text)
    line = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n"
    (old / "manifest.sha256").write_text(line)
    result = run("recommend", "--user", "u1", "--bundle", old)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "schema version 3" in result.stderr
    assert "recsys train" in result.stderr
