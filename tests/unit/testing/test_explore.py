"""Exploring finds what is wrong, fairly, and stops when it is told to."""

import json
import time
from threading import Event

import explore
import pytest

LAW = """
from hypothesis import given, strategies as st

@given(st.integers(0, 10**6))
def test_law(n):
    assert n < 10 or SOUND
"""


@pytest.fixture
def law(tmp_path):
    def written(sound):
        path = tmp_path / "test_law.py"
        path.write_text(f"SOUND = {sound}\n{LAW}")
        return str(path)

    return written


def test_what_fails_is_shown_to_be_pinned(law):
    _, code, printed = explore.explored(law(sound=False), 1, Event())
    assert code == 1
    assert "n=10" in printed
    assert explore.explored(law(sound=True), 1, Event())[1] == 0


def test_when_the_time_is_up_what_runs_is_ended(tmp_path):
    slow = tmp_path / "test_slow.py"
    slow.write_text("import time\ntime.sleep(600)\n")
    ended = Event()
    ended.set()
    before = time.monotonic()
    assert explore.explored(str(slow), 1, ended)[1] < 0
    assert time.monotonic() - before < 60


def test_files_take_turns_also_from_one_run_to_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(explore, "STATE", tmp_path / "state" / "explored.json")
    monkeypatch.setattr(explore, "law_files", lambda: ["a", "b"])
    monkeypatch.setattr(explore, "outcomes", _three)
    assert [explore.explore(1) for _ in range(3)] == [0, 0, 0]
    assert sorted(json.loads(explore.STATE.read_text()).values()) == [4, 5]


def _three(rounds, until):
    for _ in range(3):
        yield rounds.next(), 0, ""


def test_the_file_that_is_at_work_is_not_taken_twice():
    assert explore.Rounds({"a": 0, "b": 9}, {"a"}).next() == "b"
    assert explore.Rounds({"a": 0}, {"a"}).next() is None
