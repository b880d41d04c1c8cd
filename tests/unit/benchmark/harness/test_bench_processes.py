"""Jobs in processes of their own: what they are, and what becomes of those that end badly."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from recsys.benchmark.jobs import Environment, Job
from recsys.benchmark.protocols import SplitSeed
from recsys.benchmark.results import Run
from recsys.benchmark.schedule import Processes
from recsys.errors import RecsysError
from recsys.evaluation.environment import peak_mib
from recsys.subprocesses import ProcessDied

REGISTRY = "bench_toys"


@pytest.fixture
def job(toys, protocol_of):
    def make(name, **given):
        return Job("run", protocol_of(), name, SplitSeed("ro", 1), REGISTRY, given)

    return make


def test_a_job_is_done_in_another_process_with_one_thread(job, fits):
    big = np.ones(40_000_000)  # what this process holds is none of the other's memory
    told = []
    Processes()(job("plain"), told.append)
    environment, run = told
    assert isinstance(environment, Environment)
    assert environment.hardware.threads == 1
    assert isinstance(run, Run)
    assert fits() == {"plain-1": 1}
    assert peak_mib() > big.nbytes / 2**20
    assert 50 < run.metrics["peak_mib"] < peak_mib()


def test_a_failure_is_told(job):
    with pytest.raises(RecsysError, match=r"ValueError: no, thank you \(bench_toys.py, line"):
        Processes()(job("refuses"), lambda *_: None)


def test_a_process_that_is_killed_is_told_with_its_last_words(job):
    with pytest.raises(ProcessDied, match="SIGKILL: out of memory") as caught:
        Processes()(job("dies at once", l2=100.0), lambda *_: None)
    assert "the last words" in str(caught.value)


def test_what_runs_can_be_stopped(job, fits):
    processes, found = Processes(), []

    def wait():
        try:
            processes(job("waits"), lambda *_: None)
        except RecsysError as error:
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while not fits():
        time.sleep(0.05)
    processes.stop()
    thread.join(timeout=30)
    assert isinstance(found[0], ProcessDied)
    with pytest.raises(RecsysError, match="stopped"):
        processes(job("plain"), lambda *_: None)


def test_memory_is_read_from_where_it_is_right(tmp_path):
    status = tmp_path / "status"
    status.write_text("VmPeak:\t99999999 kB\nVmHWM:\t 8388608 kB\n")
    assert peak_mib(status) == 8192
    assert 1 < peak_mib(tmp_path / "absent") < 2**20
