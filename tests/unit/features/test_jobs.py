import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from pydantic import ValidationError
from support.files import ORDERS, ScriptedEncoder

from recsys.errors import AlignmentError, ConfigError, DataError, OfflineError, RecsysError
from recsys.features import cache as cache_module
from recsys.features import jobs, workers
from recsys.features.cache import FeatureCache
from recsys.features.jobs import FileJob, JobOptions, extract_files
from recsys.features.media import FileStatus

ONE = JobOptions(workers=1)

SCRIPT = """
import signal
import sys, functools
from pathlib import Path
from recsys.features.cache import FeatureCache
from recsys.features.jobs import JobOptions, extract_files, FileJob
from support.files import ScriptedEncoder

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests may run in the background
    root = Path(sys.argv[1])
    paths = sorted((root / "files").iterdir())
    files = [FileJob(str(row + 1), row, path) for row, path in enumerate(paths)]
    factory = functools.partial(ScriptedEncoder, root / "diary")
    extract_files(factory, files, FeatureCache(root / "cache"), JobOptions(workers=2))
"""


@pytest.fixture
def encoder(tmp_path):
    return ScriptedEncoder(tmp_path / "diary")


@pytest.fixture
def factory(tmp_path):
    return functools.partial(ScriptedEncoder, tmp_path / "diary")


@pytest.fixture
def write(tmp_path):
    """Files of the given contents, None for a movie without one, as jobs."""
    folder = tmp_path / "files"

    def make(*contents):
        folder.mkdir(exist_ok=True)
        paths = [folder / f"{row:03}" for row in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            if content is not None:
                path.write_text(content)
        return [
            FileJob(str(row + 1), row, None if content is None else path)
            for row, (path, content) in enumerate(zip(paths, contents, strict=True))
        ]

    return make


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(workers, "FIRST_FILE_SECONDS", 0.0)


def statuses(report):
    return [outcome.status for outcome in report.outcomes]


def test_every_movie_gets_the_vector_of_its_own_file(write, factory, cache, make_catalogue):
    files = write("3", None, "1", "", "3", "22")
    report = extract_files(factory, files, cache, JobOptions(workers=2))
    ok, missing, empty = FileStatus.OK, FileStatus.MISSING, FileStatus.EMPTY
    assert statuses(report) == [ok, missing, ok, empty, ok, ok]
    assert report.counts == {ok: 4, missing: 1, empty: 1}
    assert (report.present, report.encoded, report.failed) == (4, 3, 1)
    table = report.table(make_catalogue("abcdef"), cache)
    assert table.present.tolist() == [True, False, True, False, True, True]
    assert table.vectors[table.present].tolist() == [[3, 1], [1, 1], [3, 1], [22, 2]]
    assert (table.name, table.card) == ("scripted", factory().card)


def test_the_second_run_encodes_nothing_and_starts_no_process(
    write, factory, encoder, cache, monkeypatch
):
    files = write("1", "2", "raise", "", None)
    first = extract_files(factory, files, cache, ONE)
    monkeypatch.setattr(workers, "Subprocess", None)
    again = extract_files(factory, files, FeatureCache(cache.root), ONE)
    assert statuses(again) == statuses(first)
    assert [o.what for o in again.outcomes] == [o.what for o in first.outcomes]
    assert (again.encoded, again.present, again.failed) == (0, 2, 2)
    assert len(encoder.encoded()) == 3


def test_only_what_changed_is_encoded_again(write, factory, encoder, cache):
    extract_files(factory, write("1", "2", "3"), cache, ONE)
    report = extract_files(factory, write("3", "2", "4", "1"), cache, ONE)
    assert (report.encoded, report.present) == (1, 4)
    assert encoder.encoded() == ["000", "001", "002", "002"]


def test_another_card_shares_neither_vectors_nor_failures(write, factory, encoder, cache):
    files = write("1", "raise")
    extract_files(factory, files, cache, ONE)
    extract_files(functools.partial(factory, revision="2"), files, cache, ONE)
    assert encoder.encoded() == ["000", "001"] * 2


def test_files_that_break_their_process_leave_the_others_unharmed(write, factory, cache, impatient):
    harmful = ["raise", "media", "memory", "exit", "kill", "leave", "hang", "nan", "long"]
    assert set(harmful) == set(ORDERS) - {"config", "offline", "threads"}
    contents = [text for n, order in enumerate(harmful) for text in (order, f"{n}", f"{n} {n}")]
    options = JobOptions(workers=2, timeout_s=3)
    report = extract_files(factory, write(*contents), cache, options)
    assert report.encoded == report.present == 2 * len(harmful)
    failed = {contents[o.row]: o for o in report.outcomes if o.status is not FileStatus.OK}
    assert list(failed) == harmful
    assert failed.pop("media").status is FileStatus.TRUNCATED
    assert {o.status for o in failed.values()} == {FileStatus.FAILED}
    said = {order: outcome.what for order, outcome in failed.items()}
    assert "ZeroDivisionError: by nothing" in said["raise"]
    assert "exit code 7" in said["exit"]
    assert "no result after 3 s" in said["hang"]
    assert all(f"{failed[order].path}" in what for order, what in said.items())


def test_failures_are_remembered_until_they_are_to_be_tried_again(write, factory, encoder, cache):
    files = write("raise", "1")
    extract_files(factory, files, cache, ONE)
    extract_files(factory, files, cache, ONE)
    assert encoder.encoded() == ["000", "001"]
    retried = extract_files(factory, files, cache, JobOptions(workers=1, retry_failed=True))
    assert encoder.encoded() == ["000", "001", "000"]
    assert retried.failed == 1


@pytest.mark.parametrize(("order", "kind"), [("config", ConfigError), ("offline", OfflineError)])
def test_what_every_file_would_meet_stops_the_run_and_loses_nothing(
    write, factory, cache, order, kind
):
    with pytest.raises(kind) as raised:
        extract_files(factory, write("1", "2", order, "3"), cache, ONE)
    assert raised.value.hint
    assert len(cache.digests(factory().card)) == 2


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (functools.partial(os._exit, 5), "exit code 5"),
        (functools.partial(ScriptedEncoder, "x", "y", "z"), "cannot be built: TypeError"),
    ],
)
def test_an_encoder_that_cannot_be_built_is_no_file_s_fault(write, broken, message):
    (file,) = write("1")
    pool = workers.WorkerPool(broken, workers=1, threads=1, timeout_s=9)
    with pytest.raises(RecsysError, match=message):
        list(pool.run(iter([("digest", file.path)])))


def test_threads_of_a_process_are_limited(write, factory, cache, make_catalogue):
    options = JobOptions(workers=1, threads_per_worker=1)
    report = extract_files(factory, write("threads"), cache, options)
    assert report.table(make_catalogue("a"), cache).vectors.tolist() == [[1, 1]]
    options = JobOptions(workers=1, threads_per_worker=3)
    report = extract_files(factory, write("threads again"), cache, options)
    assert report.table(make_catalogue("a"), cache).vectors[0, 0] == 3


def test_things_that_are_no_files_are_reported(write, factory, cache, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    names = ["loop", "dangling", "pipe", "cache", "nothing"]
    (tmp_path / "cache").mkdir(exist_ok=True)
    files = [FileJob(str(row + 1), row, tmp_path / name) for row, name in enumerate(names)]
    report = extract_files(factory, files, cache, ONE)
    missing, unreadable = FileStatus.MISSING, FileStatus.UNREADABLE
    assert statuses(report) == [unreadable, missing, unreadable, unreadable, missing]


def test_a_cache_that_cannot_be_written_loses_no_vector(
    write, factory, tmp_path, make_catalogue, caplog
):
    (tmp_path / "occupied").write_text("")
    cache = FeatureCache(tmp_path / "occupied" / "cache")
    report = extract_files(factory, write("5", "6"), cache, ONE)
    assert "cannot be written" in caplog.text
    assert report.table(make_catalogue("ab"), cache).vectors[:, 0].tolist() == [5, 6]


def test_a_table_is_refused_for_other_movies_and_for_lost_vectors(
    write, factory, cache, make_catalogue
):
    report = extract_files(factory, write("1", "2"), cache, ONE)
    with pytest.raises(AlignmentError, match="1 files"):
        report.table(make_catalogue("a"), cache)
    with pytest.raises(DataError, match="2 vectors are no longer"):
        report.table(make_catalogue("ab"), FeatureCache(cache.root / "another"))


def test_two_files_of_one_movie_are_refused(write, factory, cache):
    one, two = write("1", "2")
    with pytest.raises(DataError, match="row 0"):
        extract_files(factory, [one, FileJob("1", 0, two.path)], cache, ONE)


@pytest.mark.parametrize("name", ["workers", "threads_per_worker", "timeout_s"])
def test_numbers_that_make_no_sense_are_refused(name):
    with pytest.raises(ValidationError, match=name):
        JobOptions(**{name: 0})


def test_reports_are_written_as_json_and_csv(write, factory, cache, tmp_path):
    report = extract_files(factory, write("1", "raise", None), cache, ONE)
    report.write(tmp_path)
    document = json.loads((tmp_path / "scripted.json").read_text())
    assert document["counts"] == {"ok": 1, "missing": 1, "failed": 1}
    assert [f["status"] for f in document["files"]] == ["ok", "failed", "missing"]
    header, *lines = (tmp_path / "scripted.csv").read_text().splitlines()
    assert header == "item_id,row,status,reused,path,what"
    assert lines[0] == f"1,0,ok,False,{tmp_path / 'files' / '000'},"
    assert lines[2] == "3,2,missing,False,,no file for movie 3"


def test_a_bar_is_drawn_for_a_terminal_alone(write, factory, cache, capfd, monkeypatch):
    files = write("1", "2", "raise")
    extract_files(factory, files, cache, ONE)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(jobs, "Console", functools.partial(jobs.Console, force_terminal=True))
    extract_files(factory, files, cache, ONE)
    drawn = capfd.readouterr()
    assert drawn.out == ""
    assert "3/3" in drawn.err
    assert "2 reused, 1 failed" in drawn.err
    extract_files(factory, files, cache, JobOptions(workers=1, progress=False))
    assert capfd.readouterr() == ("", "")


def run_until(tmp_path, encoded, signal_number):
    """Starts a run in a process of its own, and stops it when so many files were begun."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, env=environment, start_new_session=True
    )
    encoder = ScriptedEncoder(tmp_path / "diary")
    while len(encoder.encoded()) < encoded and process.poll() is None:
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    if signal_number == signal.SIGINT:  # a terminal interrupts the workers, too
        os.killpg(process.pid, signal_number)
    else:
        process.send_signal(signal_number)
    _, said = process.communicate()
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert gone
    assert not alive
    return process.returncode, said.decode()


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_stopped_run_is_resumed_where_it_was(write, factory, encoder, cache, tmp_path, stop):
    files = write(*(f"sleep {n}" for n in range(40)))
    code, said = run_until(tmp_path, 15, stop)
    assert code == -stop
    assert "KeyboardInterrupt" in said or stop is signal.SIGKILL
    begun = encoder.encoded()
    assert 15 <= len(begun) < 40
    report = extract_files(factory, files, cache, ONE)
    assert report.present == 40
    again = encoder.encoded()[len(begun) :]
    assert set(begun) | set(again) == {f"{n:03}" for n in range(40)}
    assert len(again) == len(set(again)) == report.encoded
    assert len(set(begun) & set(again)) <= 2


def test_a_digest_is_trusted_while_the_file_looks_the_same(write, factory, cache, monkeypatch):
    files = write("1", "2")
    monkeypatch.setattr(cache_module, "SETTLED_SECONDS", -60)
    extract_files(factory, files, cache, ONE)
    read = []
    monkeypatch.setattr(cache_module, "file_sha256", lambda path: read.append(path) or "ab")
    assert extract_files(factory, files, cache, ONE).encoded == 0
    assert read == []
    os.utime(files[1].path, (1, 1))
    options = JobOptions(workers=1, retry_failed=True)
    extract_files(factory, files, cache, options)
    assert read == [files[1].path]
    read.clear()
    extract_files(factory, files, cache, JobOptions(workers=1, rehash=True))
    assert read == [file.path for file in files]


def test_vectors_are_repeatable_across_processes(write, factory, cache, tmp_path):
    files = write(*(str(n) for n in range(20)))
    other = FeatureCache(tmp_path / "other")
    extract_files(factory, files, cache, ONE)
    extract_files(factory, files, other, JobOptions(workers=2))
    one, two = (c.read(factory().card) for c in (cache, other))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[digest], two[digest]) for digest in one)
