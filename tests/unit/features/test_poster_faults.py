"""Three hundred broken posters among sixty good ones."""

import functools
import os
from collections import defaultdict

import numpy as np
import pytest
from support.pictures import break_posters, good_posters

from recsys.config.modalities import PICTURES, PosterConfig
from recsys.features.jobs import FileJob, JobOptions, extract_files, find_files
from recsys.features.media import FileStatus
from recsys.features.poster import PosterEncoder

pytest.importorskip("PIL")

BOTH = {FileStatus.TRUNCATED, FileStatus.UNREADABLE}
EXPECTED = {
    "zero bytes": {FileStatus.EMPTY},
    "text": {FileStatus.UNREADABLE},
    "random": {FileStatus.UNREADABLE},
    "header only": BOTH,
    "bomb": {FileStatus.TOO_LARGE},
    "folder": {FileStatus.UNREADABLE},
    "loop": {FileStatus.UNREADABLE},
    "dangling": {FileStatus.MISSING},
    "a film": {FileStatus.UNREADABLE},
    "no permission": {FileStatus.UNREADABLE},
    "cut": BOTH,
}


def test_every_broken_poster_is_reported_and_no_good_one_is_lost(tmp_path, cache):
    folder = tmp_path / "posters"
    folder.mkdir()
    kinds = break_posters(folder, readable_by_all=os.geteuid() == 0)
    good = list(good_posters(folder, 60))
    ids = [*kinds, *(path.stem for path in good)]
    order = np.random.default_rng(0).permutation(len(ids))
    ids = [ids[n] for n in order]
    found = find_files(folder, ids, PICTURES.suffixes)
    assert None not in found
    files = [
        FileJob(id_, row, path) for row, (id_, path) in enumerate(zip(ids, found, strict=True))
    ]
    config = PosterConfig(max_pixels=50_000_000)
    factory = functools.partial(PosterEncoder, config)
    report = extract_files(factory, files, cache, JobOptions(workers=2))

    statuses = defaultdict(set)
    for outcome in report.outcomes:
        statuses[kinds.get(outcome.item_id, "good")].add(outcome.status)
    assert statuses.pop("good") == {FileStatus.OK}
    assert len(kinds) == 300
    assert {kind: found <= EXPECTED[kind] for kind, found in statuses.items()} == dict.fromkeys(
        statuses, True
    )
    assert FileStatus.TRUNCATED in statuses["cut"]
    assert all(o.what for o in report.outcomes if o.status is not FileStatus.OK)
    assert (report.present, len(report.outcomes) - report.present) == (60, 300)

    encoder = PosterEncoder(config)
    vectors = cache.read(report.card)
    for outcome in report.outcomes:
        if outcome.status is FileStatus.OK:
            assert np.array_equal(vectors[outcome.digest], encoder.encode_file(outcome.path))
    again = extract_files(factory, files, cache, JobOptions(workers=1))
    assert again.counts == report.counts
    assert again.encoded == 0
