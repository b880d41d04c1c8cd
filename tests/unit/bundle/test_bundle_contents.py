from dataclasses import replace

import numpy as np
import pytest

from recsys.bundle import Provenance
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError
from recsys.testing.worlds import two_genre_world


def test_histories_over_other_movies(contents):
    context = contents.context
    items = Vocabulary([f"x{row}" for row in range(len(context.catalogue))], kind="movie")
    with pytest.raises(AlignmentError, match="histories over"):
        replace(context, histories=replace(context.histories, items=items))


def test_seen_of_other_users(contents):
    with pytest.raises(AlignmentError, match="seen is"):
        replace(contents.context, seen=contents.context.seen[:-1])


def test_seen_is_what_is_stored_whatever_its_value(contents):
    context = contents.context
    zeros = context.seen.astype(np.float32)
    zeros.data[:] = 0
    assert (replace(context, seen=zeros).seen != context.seen).nnz == 0


def test_provenance_of_a_split(contents):
    split = two_genre_world().split
    source = replace(split.for_fitting().source, spec=replace(split.spec, seed=3))
    found = Provenance.of(contents.provenance.dataset, source, split.catalogue)
    assert found.split.fingerprint == split.fingerprint
    assert (found.split.name, found.split.seed) == ("toy", 3)
    assert found.encoders == {n: t.card for n, t in split.catalogue.modalities.items()}
