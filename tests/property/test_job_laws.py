"""Whatever is known, broken, equal or missing: exactly what is new is encoded, once."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.catalogue import EncoderCard
from recsys.features.cache import FeatureCache
from recsys.features.jobs import FileJob, JobOptions, Ledger
from recsys.features.media import FileStatus, MediaError

CARD = EncoderCard("letters", "1", 1, "none", "none", "none", "none")

contents = st.lists(st.sampled_from([None, "", "a", "b", "c", "bad", "worse"]), max_size=8)
runs = st.lists(st.tuples(contents, st.integers(0, 8)), min_size=1, max_size=4)


def encode(path):
    text = path.read_text()
    if text in {"bad", "worse"}:
        return MediaError(FileStatus.UNREADABLE, f"{path}: {text}")
    return np.array([ord(text)], dtype=np.float32)


def files_of(texts, folder):
    """A file a text, in a folder of its own."""
    folder.mkdir()
    jobs = []
    for row, text in enumerate(texts):
        path = folder / str(row)
        if text is not None:
            path.write_text(text)
        jobs.append(FileJob(str(row), row, None if text is None else path))
    return jobs


def run(texts, folder, cache, stop_after):
    """A run in this process, stopped when so many files were encoded.

    Returns:
        What was encoded, and the outcomes.
    """
    encoded, held = [], []
    ledger = Ledger(CARD, cache, JobOptions(), lambda _: None)
    for task in ledger.tasks(files_of(texts, folder)):
        if len(encoded) == stop_after:
            break
        encoded.append(task[1].read_text())
        held.append(task)
        if len(held) == 2:  # as when two processes are at work
            ledger.settle(held[1], encode(held[1][1]))
            ledger.settle(held[0], encode(held[0][1]))
            held.clear()
    for task in held:
        ledger.settle(task, encode(task[1]))
    return encoded, ledger.outcomes()


def expected(text):
    if text is None:
        return FileStatus.MISSING
    return {"": FileStatus.EMPTY, "bad": FileStatus.UNREADABLE, "worse": FileStatus.UNREADABLE}.get(
        text, FileStatus.OK
    )


@given(runs)
def test_what_was_finished_by_any_stopped_run_is_never_encoded_again(stopped):
    with tempfile.TemporaryDirectory() as name:
        cache, known = FeatureCache(Path(name) / "cache"), set()
        for number, (texts, stop_after) in enumerate(stopped):
            folder = Path(name) / str(number)
            encoded, outcomes = run(texts, folder, cache, stop_after)
            new = list(dict.fromkeys(t for t in texts if t and t not in known))
            assert encoded == new[:stop_after]
            known |= set(encoded)
            assert all(o.status is expected(texts[o.row]) for o in outcomes)
            if len(new) <= stop_after:
                assert [o.row for o in outcomes] == list(range(len(texts)))
                assert sum(not o.reused and bool(o.digest) for o in outcomes) == len(encoded)
        kept = {vector.item() for vector in cache.read(CARD).values()}
        assert kept == {ord(text) for text in known - {"bad", "worse"}}


def test_a_file_that_changes_while_it_is_read_gets_no_vector_and_is_tried_again():
    with tempfile.TemporaryDirectory() as name:
        cache, folder = FeatureCache(Path(name) / "cache"), Path(name) / "files"
        jobs = files_of(["a"], folder)
        for change, status in (("longer", FileStatus.FAILED), (None, FileStatus.OK)):
            ledger = Ledger(CARD, cache, JobOptions(), lambda _: None)
            (task,) = ledger.tasks(jobs)
            if change:
                jobs[0].path.write_text(change)
            ledger.settle(task, np.array([1], dtype=np.float32))
            assert [o.status for o in ledger.outcomes()] == [status]
            assert len(cache.digests(CARD)) == (status is FileStatus.OK)
