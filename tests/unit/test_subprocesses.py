"""A process of its own: what it says, and what becomes of one that ends badly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from recsys.errors import ConfigError, DataError, RecsysError
from recsys.subprocesses import ProcessDied, Subprocess, TimedOut


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def counts(pipe, n):
    for number in range(n):
        pipe.send(number)


def echoes(pipe):
    while (message := pipe.recv()) is not None:
        pipe.send(message * 2)


def tells_environment(pipe):
    pipe.send((os.getpid(), os.getpgid(0), os.environ["OMP_NUM_THREADS"], os.environ.get("TOLD")))


def refuses(pipe, error):
    raise error


def refuses_rows(pipe):
    raise DataError("bad file", rows=["row 1"], hint="mend it")


def dies(pipe, code):
    say("the last words")
    if code == signal.SIGKILL:
        os.kill(os.getpid(), code)
    os._exit(code)


def hangs(pipe):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    say("half way")
    pipe.send((os.getpid(), child.pid))
    time.sleep(600)


def is_gone(pid):
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_messages_come_in_order_until_the_target_returns():
    with Subprocess(counts, 3) as process:
        assert list(process.messages()) == [0, 1, 2]
        with pytest.raises(EOFError):
            process.receive()
    assert not process.is_alive


def test_messages_go_both_ways():
    with Subprocess(echoes) as process:
        for value in ("a", 3):
            process.pipe.send(value)
            assert process.receive(60) == value * 2


def test_it_has_a_group_its_threads_and_its_environment_of_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with Subprocess(tells_environment, threads=2, environment={"TOLD": "yes"}) as process:
        pid, group, threads, told = process.receive(60)
    assert pid == group != os.getpid()
    assert (threads, told) == ("2", "yes")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "TOLD" not in os.environ


def test_an_error_of_ours_keeps_its_class_and_hint():
    error = ConfigError("no such key", hint="try another")
    with Subprocess(refuses, error) as process, pytest.raises(ConfigError) as caught:
        process.receive(60)
    assert (caught.value.what, caught.value.hint) == ("no such key", "try another")


def test_an_error_with_rows_keeps_its_text():
    with Subprocess(refuses_rows) as process, pytest.raises(RecsysError) as caught:
        process.receive(60)
    assert str(caught.value) == str(DataError("bad file", rows=["row 1"], hint="mend it"))


def test_any_other_exception_names_its_class_and_line():
    error, said = ValueError("no, thank you"), r"ValueError: no, thank you \(test_sub.*, line \d+"
    with Subprocess(refuses, error) as process, pytest.raises(RecsysError, match=said):
        process.receive(60)


@pytest.mark.parametrize(
    ("code", "said"), [(3, "ended with exit code 3"), (9, "was ended by SIGKILL: out of memory?")]
)
def test_a_process_that_ends_by_itself_is_named_with_its_last_lines(code, said):
    with Subprocess(dies, code) as process, pytest.raises(ProcessDied) as caught:
        process.receive(60)
    assert said in str(caught.value)
    assert "\n    the last words" in str(caught.value)


def test_a_process_that_takes_too_long_is_killed_with_what_it_started():
    with Subprocess(hangs) as process:
        pids = process.receive(60)
        with pytest.raises(TimedOut, match=r"more than 0\.1 seconds\n    half way"):
            process.receive(0.1)
    assert all(is_gone(pid) for pid in pids)


def test_another_thread_may_kill_it():
    with Subprocess(hangs) as process:
        process.receive(60)
        threading.Timer(0.2, process.kill).start()
        with pytest.raises(ProcessDied, match="SIGKILL"):
            process.receive(60)


STARTER = """
from test_subprocesses import hangs
from recsys.subprocesses import Subprocess

if __name__ == "__main__":
    process = Subprocess(hangs)
    print(*process.receive(60), flush=True)
    {then}
"""


@pytest.mark.parametrize("then", ["process.receive()", "pass"])
def test_nothing_outlives_its_parent(tmp_path, then):
    script = tmp_path / "starter.py"
    script.write_text(STARTER.format(then=then))
    root, here = Path(__file__).resolve().parents[2], Path(__file__).parent
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(here)])},
        stdout=subprocess.PIPE,
        text=True,
    )
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    if then != "pass":
        parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=30)
    assert all(is_gone(pid) for pid in pids)
