from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="training needs torch")

from recsys.recommenders.joint.training.log import (
    JsonLines,
    RunOptions,
    TensorBoard,
    TrainingLog,
    sinks_of,
)

RECORDS = [
    {"alignment/loss": 0.5},
    {"epoch": 1.0, "loss/near": 2.0},
    {"epoch": 2.0, "loss/near": 1.0, "valid/rmse": 0.9},
]


def lines(path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def scalars(folder) -> list[dict[str, float]]:
    """Everything TensorBoard shows of a folder, as records by step."""
    pytest.importorskip("tensorboard", reason="TensorBoard is optional")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    found: dict[int, dict[str, float]] = {}
    for name in events.Tags()["scalars"]:
        for event in events.Scalars(name):
            assert name not in found.setdefault(event.step, {}), "recorded twice"
            found[event.step][name] = pytest.approx(event.value)
    return [found[step] for step in sorted(found)]


def readers(folder):
    values = [{k: v for k, v in record.items() if k != "epoch"} for record in RECORDS]
    yield JsonLines(folder / "new" / "log.jsonl"), lines, folder / "new" / "log.jsonl", RECORDS
    yield TensorBoard(folder / "board"), scalars, folder / "board", values


@pytest.mark.parametrize("kind", [0, 1])
def test_a_sink_holds_what_it_was_given(tmp_path, kind):
    sink, read, path, expected = list(readers(tmp_path))[kind]
    if kind:
        pytest.importorskip("tensorboard", reason="TensorBoard is optional")
    for again in range(2):  # a second log begins anew
        with TrainingLog([sink]) as log:
            for count, record in enumerate(RECORDS, start=1):
                log.add(record)
                assert expected[:count] == read(path), f"not there yet, round {again}"
        assert expected == read(path)


@pytest.mark.parametrize("kind", [0, 1])
def test_a_log_that_is_wound_back_is_neither_doubled_nor_torn(tmp_path, kind):
    sink, read, path, expected = list(readers(tmp_path))[kind]
    if kind:
        pytest.importorskip("tensorboard", reason="TensorBoard is optional")
    with TrainingLog([sink]) as log:
        log.add({"epoch": 7.0, "loss/wrong": 1.0})
    with TrainingLog([sink]) as log:
        log.add(RECORDS[0])
        log.restart(RECORDS[:2])
        log.add(RECORDS[2])
        assert (log.records, log.epochs) == (RECORDS, 2)
    assert expected == read(path)


def test_sinks_are_those_that_are_asked_for_and_installed(tmp_path, monkeypatch):
    asked = RunOptions(log_path=tmp_path / "log", tensorboard=tmp_path / "board")
    assert sinks_of(RunOptions()) == []
    monkeypatch.setattr("recsys.recommenders.joint.training.log.find_spec", lambda _: object())
    assert [type(sink) for sink in sinks_of(asked)] == [JsonLines, TensorBoard]
    monkeypatch.setattr("recsys.recommenders.joint.training.log.find_spec", lambda _: None)
    assert [type(sink) for sink in sinks_of(asked)] == [JsonLines]


def test_other_files_of_the_folder_are_left_alone(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is optional")
    (tmp_path / "thesis.tex").write_text("precious")
    with TrainingLog([TensorBoard(tmp_path)]):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "precious"
