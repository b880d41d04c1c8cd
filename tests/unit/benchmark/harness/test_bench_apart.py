"""Processes of their own: what they are, and what becomes of those that end badly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from recsys.benchmark.apart import ONE_THREAD, Apart, one_thread
from recsys.benchmark.document import Run
from recsys.benchmark.job import RunJob, Subject, Surroundings
from recsys.benchmark.memory import peak_mib

from recsys.benchmark.protocols import Cell

REGISTRY = "bench_toys"


@pytest.fixture
def job(toys, protocol_of):
    def make(name, **options):
        return RunJob(Subject(protocol_of(), name, REGISTRY), Cell("ro", 1), options)

    return make


def test_a_job_is_done_in_another_process_with_one_thread(job, fits):
    big = np.ones(40_000_000)  # what this process holds is none of the other's memory
    told, apart = [], Apart()
    with one_thread():
        assert apart(job("plain"), told.append) is None
    surroundings, run = told
    assert isinstance(surroundings, Surroundings)
    assert surroundings.hardware.threads == 1
    assert isinstance(run, Run)
    assert fits() == {"plain-1": 1}
    assert peak_mib() > big.nbytes / 2**20
    assert 50 < run.peak_mib < peak_mib()


def test_a_failure_is_told(job):
    failure = Apart()(job("refuses"), lambda *_: None)
    assert not failure.died
    assert failure.what.startswith("ValueError: no, thank you (bench_toys.py, line")


def test_a_process_that_is_killed_is_told_with_its_last_words(job):
    failure = Apart()(job("dies at once", l2=100.0), lambda *_: None)
    assert failure.died
    assert "signal 9: out of memory?" in failure.what
    assert "the last words" in failure.what


def test_what_runs_can_be_stopped(job, fits):
    apart, found = Apart(), []
    thread = threading.Thread(target=lambda: found.append(apart(job("waits"), lambda *_: None)))
    thread.start()
    while not fits():
        time.sleep(0.05)
    apart.stop()
    thread.join(timeout=30)
    assert found[0].died
    assert apart(job("plain"), lambda *_: None).what == "stopped"


STARTER = """
import sys
from recsys.benchmark.apart import Apart
from recsys.benchmark.job import RunJob, Subject
from recsys.benchmark.protocols import Cell, Protocol

if __name__ == "__main__":
    config, folder = sys.argv[1:]
    protocol = Protocol("toy", "", ("warm",), ("ro",), (config,), (1,), data_dir=folder)
    Apart()(RunJob(Subject(protocol, "waits", "bench_toys"), Cell("ro", 1), {}), print)
"""


def test_nothing_outlives_a_benchmark_that_is_killed(toys, fits, toy_folder, tmp_path):
    script = tmp_path / "starter.py"
    script.write_text(STARTER)
    root = Path(__file__).resolve().parents[4]
    paths = os.pathsep.join([str(root), str(Path(__file__).parent)])
    process = subprocess.Popen(
        [sys.executable, str(script), str(toy_folder / "toy.yaml"), str(toy_folder)],
        env={**os.environ, "PYTHONPATH": paths},
    )
    while not fits() and process.poll() is None:
        time.sleep(0.05)
    assert process.poll() is None
    inner = _children(process.pid)
    assert inner
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while any(_alive(pid) for pid in inner) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in inner)


def _children(pid):
    psutil = pytest.importorskip("psutil")
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _alive(pid):
    psutil = pytest.importorskip("psutil")
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with one_thread():
        assert {name: os.environ[name] for name in ONE_THREAD} == dict(ONE_THREAD)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_memory_is_read_from_where_it_is_right(tmp_path):
    status = tmp_path / "status"
    status.write_text("VmPeak:\t99999999 kB\nVmHWM:\t 8388608 kB\n")
    assert peak_mib(status) == 8192
    assert 1 < peak_mib(tmp_path / "absent") < 2**20
