import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.catalogue import EncoderCard
from recsys.data.files import file_sha256, fingerprint
from recsys.features import cache as cache_module
from recsys.features.cache import FeatureCache, cache_root
from recsys.features.media import FileStatus, MediaError

CARD = EncoderCard("test", "1", 3, "none", "none", "none", "none")
OTHER = replace(CARD, revision="2")


def some(*names):
    return {fingerprint([n]): np.full(3, sum(n.encode()), dtype=np.float32) for n in names}


def same(one, two):
    return one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)


@pytest.fixture
def settled(monkeypatch):
    monkeypatch.setattr(cache_module, "SETTLED_SECONDS", -60)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("content")
    return path


def digest(root, path, rehash=False):
    return FeatureCache(root).file_digest(path, path.stat(), rehash=rehash)


def change(root, statement):
    with sqlite3.connect(root / "features.sqlite") as connection:
        connection.execute(statement)
    connection.close()


def lie(root):
    """Puts another digest where the true one was."""
    change(root, "UPDATE files SET digest = 'lie'")


def test_what_is_added_is_read_by_another(cache):
    assert cache.read(CARD) == {}
    cache.add(CARD, some("a", "b"))
    cache.add(CARD, some("b", "c"))
    cache.add(CARD, {})
    assert same(FeatureCache(cache.root).read(CARD), some("a", "b", "c"))


@pytest.mark.parametrize("field", ["name", "revision", "preprocessing", "pooling", "notes"])
def test_another_card_shares_nothing(cache, field):
    cache.add(CARD, some("a"))
    assert cache.read(replace(CARD, **{field: "other"})) == {}


def test_the_wanted_vectors_and_all_digests_can_be_had(cache):
    everything = some(*map(str, range(40)))
    for name, vector in everything.items():
        cache.add(CARD, {name: vector})
    assert cache.digests(CARD) == everything.keys()
    wanted = some("3", "39", "never seen")
    assert same(cache.read(CARD, wanted.keys()), some("3", "39"))
    assert cache.read(CARD, []) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vectors SET vector = zeroblob(16)",
        "UPDATE vectors SET vector = NULL",
        "UPDATE vectors SET digest = 'ab'",
        f"UPDATE vectors SET card = '{cache_module.card_key(OTHER)}'",
    ],
)
def test_a_vector_that_is_not_what_was_written_is_not_believed(cache, statement):
    cache.add(CARD, some("a"))
    change(cache.root, statement)
    assert cache.read(CARD) == cache.read(OTHER) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:5000],
        lambda raw: bytes(len(raw)),
        lambda _: b"no database at all" * 99,
        lambda _: b"SQLite format 3\0" * 99,
    ],
    ids=["cut", "zeros", "text", "header"],
)
def test_a_damaged_file_is_reported_and_rebuilt(cache, caplog, damage):
    cache.add(CARD, some("a"))
    cache.path.write_bytes(damage(cache.path.read_bytes()))
    found = FeatureCache(cache.root)
    assert found.read(CARD) == {}
    assert f"{cache.path} is removed and will be rebuilt" in caplog.text
    found.add(CARD, some("b"))
    caplog.clear()
    assert same(FeatureCache(cache.root).read(CARD), some("b"))
    assert not caplog.records


def test_a_folder_that_cannot_be_written_loses_no_vector(tmp_path, file, caplog):
    cache = FeatureCache(file / "cache")
    cache.add(CARD, some("a"))
    assert same(cache.read(CARD), some("a"))
    assert cache.file_digest(file, file.stat()) == file_sha256(file)
    assert "cannot be written" in caplog.text


def test_a_file_that_is_in_use_elsewhere_loses_no_vector(cache, file, caplog, monkeypatch, settled):
    connect = sqlite3.connect
    monkeypatch.setattr(cache_module.sqlite3, "connect", lambda p, **_: connect(p, timeout=0))
    cache.add(CARD, some("a"))
    holder = connect(cache.path)
    holder.execute("BEGIN EXCLUSIVE")
    assert cache.file_digest(file, file.stat()) == file_sha256(file)
    assert cache.failures(CARD) == {}
    cache.add(CARD, some("b"))
    assert same(cache.read(CARD), some("b"))
    holder.close()
    assert "is locked" in caplog.text
    assert same(cache.read(CARD), some("a", "b"))
    assert cache.digests(CARD) == some("a", "b").keys()


def test_readers_see_whole_vectors_while_processes_write(cache, caplog):
    script = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from recsys.features.cache import FeatureCache\n"
        "from recsys.data.catalogue import EncoderCard\n"
        "from recsys.data.files import fingerprint\n"
        "card = EncoderCard('test', '1', 3, 'none', 'none', 'none', 'none')\n"
        "for n in range(40):\n"
        "    name = f'{sys.argv[2]}{n}'\n"
        "    vector = np.full(3, sum(name.encode()), dtype=np.float32)\n"
        "    FeatureCache(Path(sys.argv[1])).add(card, {fingerprint([name]): vector})\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(cache.root), name]) for name in "xy"
    ]
    right = some(*[f"{w}{n}" for w in "xy" for n in range(40)])
    while any(writer.poll() is None for writer in writers):
        found = cache.read(CARD)
        assert all(np.array_equal(vector, right[name]) for name, vector in found.items())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert same(cache.read(CARD), right)
    assert not caplog.records


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RECSYS_CACHE_DIR", str(tmp_path))
    assert cache_root() == FeatureCache().root == tmp_path / "features"
    monkeypatch.delenv("RECSYS_CACHE_DIR")
    assert cache_root().parts[-2:] == ("recsys", "features") or cache_root().name == "features"
    assert FeatureCache(tmp_path / "mine").root == tmp_path / "mine"


def test_failures_belong_to_a_card(cache):
    cache.add_failure(CARD, "ab", MediaError(FileStatus.TRUNCATED, "cut"))
    cache.add_failure(CARD, "cd", MediaError(FileStatus.FAILED, "died"))
    cache.add_failure(CARD, "cd", MediaError(FileStatus.EMPTY, "now"))
    another = FeatureCache(cache.root)
    found = {name: (error.status, error.what) for name, error in another.failures(CARD).items()}
    assert found == {"ab": (FileStatus.TRUNCATED, "cut"), "cd": (FileStatus.EMPTY, "now")}
    assert another.failures(OTHER) == {}


def test_a_remembered_digest_is_believed_unless_told_otherwise(tmp_path, file, settled):
    assert digest(tmp_path, file) == file_sha256(file)
    lie(tmp_path)
    assert digest(tmp_path, file) == "lie"
    assert digest(tmp_path, file, rehash=True) == file_sha256(file)
    assert digest(tmp_path, file) == file_sha256(file)


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
    digest(tmp_path, file)
    lie(tmp_path)
    time.sleep(0.02)  # more than a tick of any file system's clock
    change(file)
    now = file if file.exists() else file.with_name("renamed")
    assert digest(tmp_path, now) == file_sha256(now)


def test_a_file_changed_a_moment_ago_is_not_remembered(tmp_path, file):
    digest(tmp_path, file)
    lie(tmp_path)
    assert digest(tmp_path, file) == file_sha256(file)


def test_the_same_bytes_put_back_with_the_same_time_are_noticed(tmp_path, file, settled):
    digest(tmp_path, file)
    stat = file.stat()
    time.sleep(0.02)
    file.write_text("CONTENT")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert digest(tmp_path, file) == file_sha256(file)


def test_names_that_are_no_text_are_remembered(tmp_path, settled):
    path = tmp_path / os.fsdecode(b"\xff\xfe name")
    try:
        path.write_text("content")
    except OSError:
        pytest.skip("this file system takes text alone")
    digest(tmp_path, path)
    lie(tmp_path)
    assert digest(tmp_path, path) == "lie"
