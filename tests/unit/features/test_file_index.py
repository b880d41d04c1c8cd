import os
import sqlite3
import time

import pytest

from recsys.data.catalogue import EncoderCard
from recsys.data.files import file_sha256
from recsys.features import job_ledger
from recsys.features.job_ledger import FileFailure, FileIndex, Signature
from recsys.features.media import FileStatus

CARD = EncoderCard("test", "1", 3, "none", "none", "none", "none")
OTHER = EncoderCard("test", "2", 3, "none", "none", "none", "none")


@pytest.fixture
def settled(monkeypatch):
    monkeypatch.setattr(job_ledger, "SETTLED_SECONDS", -60)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("content")
    return path


def remember(root, path, rehash=False):
    with FileIndex(root, rehash=rehash) as index:
        digest = index.digest(path, Signature.of(path.stat()))
        index.save(CARD, {})
    return digest


def lie(root):
    """Puts another digest where the true one was."""
    with sqlite3.connect(root / "files.sqlite") as connection:
        connection.execute("UPDATE digests SET digest = 'lie'")
    connection.close()


def test_a_remembered_digest_is_believed_unless_told_otherwise(tmp_path, file, settled):
    assert remember(tmp_path, file) == file_sha256(file)
    lie(tmp_path)
    assert remember(tmp_path, file) == "lie"
    assert remember(tmp_path, file, rehash=True) == file_sha256(file)
    assert remember(tmp_path, file) == file_sha256(file)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_text("another"),
        lambda file: file.write_text("longer content"),
        lambda file: os.utime(file, (1, 1)),
        lambda file: file.chmod(0o600),
        lambda file: file.rename(file.with_name("renamed")),
    ],
    ids=["bytes", "size", "time", "mode", "name"],
)
def test_a_file_that_looks_different_is_read_again(tmp_path, file, settled, change):
    remember(tmp_path, file)
    lie(tmp_path)
    time.sleep(0.02)  # more than a tick of any file system's clock
    change(file)
    now = file if file.exists() else file.with_name("renamed")
    assert remember(tmp_path, now) == file_sha256(now)


def test_a_file_changed_a_moment_ago_is_not_remembered(tmp_path, file):
    remember(tmp_path, file)
    lie(tmp_path)
    assert remember(tmp_path, file) == file_sha256(file)


def test_the_same_bytes_put_back_with_the_same_time_are_noticed(tmp_path, file, settled):
    remember(tmp_path, file)
    stat = file.stat()
    time.sleep(0.02)
    file.write_text("CONTENT")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert remember(tmp_path, file) == file_sha256(file)


def test_failures_belong_to_a_card(tmp_path):
    failures = {
        "ab": FileFailure(FileStatus.TRUNCATED, "cut"),
        "cd": FileFailure(FileStatus.FAILED, "died"),
    }
    with FileIndex(tmp_path) as index:
        index.save(CARD, failures)
        index.save(CARD, {"cd": FileFailure(FileStatus.EMPTY, "now")})
    with FileIndex(tmp_path) as index:
        assert index.failures(CARD) == failures | {"cd": FileFailure(FileStatus.EMPTY, "now")}
        assert index.failures(OTHER) == {}


def test_names_that_are_no_text_are_remembered(tmp_path, settled):
    path = tmp_path / os.fsdecode(b"\xff\xfe name")
    try:
        path.write_text("content")
    except OSError:
        pytest.skip("this file system takes text alone")
    remember(tmp_path, path)
    lie(tmp_path)
    assert remember(tmp_path, path) == "lie"


@pytest.mark.parametrize("damage", [b"no database at all" * 99, b"SQLite format 3\0" * 99])
def test_a_damaged_index_is_rebuilt(tmp_path, file, settled, caplog, damage):
    remember(tmp_path, file)
    (tmp_path / "files.sqlite").write_bytes(damage)
    assert remember(tmp_path, file) == file_sha256(file)
    assert "will be rebuilt" in caplog.text
    caplog.clear()
    assert remember(tmp_path, file) == file_sha256(file)
    assert not caplog.records


def test_an_index_that_cannot_be_written_stops_nothing(tmp_path, file, caplog):
    assert remember(file, file) == file_sha256(file)
    assert "files are read again" in caplog.text


def test_an_index_that_is_in_use_elsewhere_stops_nothing(
    tmp_path, file, settled, caplog, monkeypatch
):
    connect = sqlite3.connect
    monkeypatch.setattr(job_ledger.sqlite3, "connect", lambda p, **_: connect(p, timeout=0))
    with FileIndex(tmp_path) as index:
        holder = connect(tmp_path / "files.sqlite")
        holder.execute("BEGIN EXCLUSIVE")
        assert index.digest(file, Signature.of(file.stat())) == file_sha256(file)
        assert index.failures(CARD) == {}
        index.save(CARD, {"ab": FileFailure(FileStatus.FAILED, "died")})
        holder.close()
    assert caplog.text.count("is locked") == 3
