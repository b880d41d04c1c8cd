import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.data.catalogue import EncoderCard
from recsys.data.files import fingerprint
from recsys.features import cache as cache_module
from recsys.features.cache import FeatureCache, cache_root

CARD = EncoderCard("test", "1", 3, "none", "none", "none", "none")


def some(*names):
    return {fingerprint([n]): np.full(3, sum(n.encode()), dtype=np.float32) for n in names}


def same(one, two):
    return one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)


def test_what_is_added_is_read_by_another(cache):
    assert cache.read(CARD) == {}
    cache.add(CARD, some("a", "b"))
    cache.add(CARD, some("b", "c"))
    assert same(FeatureCache(cache.root).read(CARD), some("a", "b", "c"))


@pytest.mark.parametrize("field", ["name", "revision", "preprocessing", "pooling", "notes"])
def test_another_card_shares_nothing(cache, field):
    cache.add(CARD, some("a"))
    assert cache.read(replace(CARD, **{field: "other"})) == {}


def test_the_file_of_another_encoder_is_not_believed(cache, caplog):
    other = replace(CARD, revision="2")
    cache.add(CARD, some("a"))
    cache.path(CARD).rename(cache.path(other))
    assert cache.read(other) == {}
    assert "checksum" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:0],
        lambda raw: raw[:20],
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: bytes(len(raw)),
        lambda raw: raw[32:],
    ],
    ids=["empty", "no body", "cut", "longer", "zeros", "no seal"],
)
def test_a_damaged_file_is_reported_and_rebuilt(cache, caplog, damage):
    cache.add(CARD, some("a"))
    path = cache.path(CARD)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read(CARD) == {}
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text
    cache.add(CARD, some("b"))
    assert same(cache.read(CARD), some("b"))


def test_every_flipped_bit_is_noticed(cache):
    cache.add(CARD, some("a"))
    path = cache.path(CARD)
    raw = path.read_bytes()
    for position in range(len(raw)):
        altered = bytearray(raw)
        altered[position] ^= 1 << position % 8
        path.write_bytes(bytes(altered))
        assert cache.read(CARD) == {}


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = FeatureCache(tmp_path / "file" / "cache")
    cache.add(CARD, some("a"))
    assert cache.read(CARD) == {}
    assert "cannot be written" in caplog.text


def test_a_failed_write_keeps_the_old_file_and_leaves_no_litter(cache, monkeypatch, caplog):
    cache.add(CARD, some("a"))

    def fail(self, target):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        cache.add(CARD, some("b"))
    assert "disk full" in caplog.text
    assert same(cache.read(CARD), some("a"))
    assert list(cache.root.iterdir()) == [cache.path(CARD)]


def test_readers_see_whole_files_while_processes_write(cache, caplog):
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
        assert all(np.array_equal(vector, right[digest]) for digest, vector in found.items())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert {fingerprint(["x39"]), fingerprint(["y39"])} & cache.read(CARD).keys()
    assert not caplog.records


def test_many_small_writes_leave_few_files_and_lose_nothing(cache, monkeypatch):
    written = []
    write = cache_module._write
    monkeypatch.setattr(
        cache_module, "_write", lambda path, v, card: written.append(len(v)) or write(path, v, card)
    )
    monkeypatch.setattr(cache_module, "SMALL_BYTES", 5_000)
    names = [str(n) for n in range(300)]
    for name in names:
        assert cache.add(CARD, some(name))
        assert len(list(cache.root.iterdir())) < 16 + 300 // 100
    assert same(cache.read(CARD), some(*names))
    assert sum(written) < 10 * len(names)


def test_the_wanted_vectors_and_all_digests_can_be_had(cache):
    everything = some(*map(str, range(40)))
    for digest, vector in everything.items():
        cache.add(CARD, {digest: vector})
    assert cache.digests(CARD) == everything.keys()
    wanted = some("3", "39", "never seen")
    assert same(cache.read(CARD, wanted.keys()), some("3", "39"))
    assert cache.read(CARD, []) == {}


def test_a_damaged_segment_costs_its_own_vectors_only(cache, caplog):
    cache.add(CARD, some("a"))
    cache.add(CARD, some("b"))
    (second,) = set(cache.root.iterdir()) - {cache.path(CARD)}
    second.write_bytes(b"broken")
    assert same(cache.read(CARD), some("a"))
    assert str(second) in caplog.text
    assert list(cache.root.iterdir()) == [cache.path(CARD)]


def test_a_segment_that_cannot_be_read_now_is_not_merged_away(cache, monkeypatch, caplog):
    names = [str(n) for n in range(16)]
    for name in names[:15]:
        cache.add(CARD, some(name))
    read = Path.read_bytes

    def refuse(self):
        if self == cache.path(CARD):
            raise PermissionError(13, "busy")
        return read(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        cache.add(CARD, some("15"))
        assert same(cache.read(CARD), some(*names[1:]))
    assert same(cache.read(CARD), some(*names))


def test_a_reader_finds_what_is_merged_under_its_hands(cache, monkeypatch):
    names = [str(n) for n in range(15)]
    for name in names:
        cache.add(CARD, some(name))
    unpack, writer = cache_module._unpack, FeatureCache(cache.root)

    def slowly(raw, card):
        monkeypatch.setattr(cache_module, "_unpack", unpack)
        writer.add(CARD, some("15"))
        return unpack(raw, card)

    monkeypatch.setattr(cache_module, "_unpack", slowly)
    assert same(cache.read(CARD), some(*names, "15"))
    assert len(list(cache.root.iterdir())) == 1


def test_it_is_said_whether_vectors_were_kept(cache, tmp_path):
    (tmp_path / "file").write_text("")
    assert cache.add(CARD, some("a"))
    assert cache.add(CARD, {})
    assert not FeatureCache(tmp_path / "file" / "cache").add(CARD, some("a"))


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RECSYS_CACHE_DIR", str(tmp_path))
    assert cache_root() == FeatureCache().root == tmp_path / "features"
    monkeypatch.delenv("RECSYS_CACHE_DIR")
    assert cache_root().parts[-2:] == ("recsys", "features") or cache_root().name == "features"
    assert FeatureCache(tmp_path / "mine").root == tmp_path / "mine"
