"""A process that fails, hangs or is interrupted says so, and is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import recsys
from recsys.benchmark.recbole import process, worker
from recsys.errors import RecsysError

HANGS = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("half way", file=sys.stderr, flush=True)
pathlib.Path("pid").write_text(str(child.pid))
pathlib.Path("pid").rename("started")
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    """Runs a program as the module of a process."""

    def run_it(program, seconds=30.0):
        (tmp_path / "program.py").write_text(program)
        process.run_module("program", tmp_path / "spec.json", 1, seconds)

    return run_it


def _is_gone(pid):
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_it_gets_its_spec_its_folder_and_its_threads(run, tmp_path):
    run(
        "import json, os, sys\n"
        "names = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')\n"
        "found = [sys.argv[1:], os.getcwd(), *map(os.environ.get, names)]\n"
        "import recsys\n"
        "open('found', 'w').write(json.dumps([*found, recsys.__file__]))\n"
    )
    spec, folder, *rest, package = json.loads((tmp_path / "found").read_text())
    assert spec == [str(tmp_path / "spec.json")]
    assert Path(folder).samefile(tmp_path)
    assert rest == ["1", "1", "1"]
    assert Path(package).samefile(recsys.__file__)


def test_a_failure_shows_its_last_lines_and_what_to_do(run):
    with pytest.raises(RecsysError) as caught:
        run("import sys\nprint('first' + '\\n' * 99, file=sys.stderr)\nraise ValueError('of late')")
    assert "it ended with code 1" in str(caught.value)
    assert "ValueError: of late" in str(caught.value)
    assert caught.value.hint


def test_a_process_that_was_killed_is_named_by_its_signal(run):
    with pytest.raises(RecsysError, match="ended by SIGKILL; is there enough memory"):
        run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")


@pytest.fixture
def once_started(tmp_path, monkeypatch):
    """Makes waiting for the process end with an error, as soon as it has a child of its own."""
    real = subprocess.Popen.communicate

    def ends_with(error):
        def communicate(self, *args, **kwargs):
            monkeypatch.setattr(subprocess.Popen, "communicate", real)
            while not (tmp_path / "started").exists():
                time.sleep(0.02)
            raise error

        monkeypatch.setattr(subprocess.Popen, "communicate", communicate)

    return ends_with


def test_too_long_is_an_error_and_nothing_goes_on(run, tmp_path, once_started):
    once_started(subprocess.TimeoutExpired("python", 2.0))
    with pytest.raises(RecsysError, match=r"more than 2 seconds\n    half way") as caught:
        run(HANGS, seconds=2.0)
    assert caught.value.hint
    assert _is_gone(int((tmp_path / "started").read_text()))


def test_seconds_are_kept_to(run):
    with pytest.raises(RecsysError, match=r"more than 0\.01 seconds"):
        run("import time\ntime.sleep(60)", seconds=0.01)


def test_an_interrupt_ends_the_process_and_what_it_started(run, tmp_path, once_started):
    once_started(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(HANGS)
    assert _is_gone(int((tmp_path / "started").read_text()))


def test_an_orphan_takes_its_folder_along(tmp_path, monkeypatch):
    parents = iter([7, 7, 1])
    monkeypatch.setattr(worker.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(worker.time, "sleep", lambda _: None)
    monkeypatch.setattr(worker.os, "_exit", sys.exit)
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "spec.json").write_text("{}")
    with pytest.raises(SystemExit):
        worker.die_with(7, folder)
    assert not folder.exists()
    assert next(parents, None) is None
