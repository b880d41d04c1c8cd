from dataclasses import replace

import numpy as np
import pytest

from recsys.bundle import Provenance
from recsys.data.vocabulary import Vocabulary
from recsys.errors import AlignmentError, DataError
from recsys.testing.worlds import two_genre_world

PARTS = (("weight", 2), ("bias", 1))


def test_histories_over_other_movies(contents):
    items = Vocabulary([f"x{row}" for row in range(len(contents.catalogue))], kind="movie")
    with pytest.raises(AlignmentError, match="histories over"):
        replace(contents, histories=replace(contents.histories, items=items))


def test_seen_of_other_users(contents):
    with pytest.raises(AlignmentError, match="seen is"):
        replace(contents, seen=contents.seen[:-1])


def test_a_model_of_other_movies(contents):
    grown = contents.model.with_movies(contents.tower.embed({}, 1))
    with pytest.raises(AlignmentError, match="the model knows 41 movies"):
        replace(contents, model=grown)


def test_a_model_with_another_rule(contents):
    rule = contents.config.user.model_copy(update={"liked_min_rating": 2.0})
    with pytest.raises(DataError, match="another rule"):
        replace(contents, model=replace(contents.model, rule=rule))


@pytest.mark.parametrize("role", ["liked", "rating_out", "genre_logits"])
def test_a_tower_of_other_sizes(contents, role):
    width = contents.tower.weights["shared/weight"].shape[0]
    longer = {f"role/{role}/{part}": np.zeros((9, width)[:n], np.float32) for part, n in PARTS}
    weights = contents.tower.weights
    other = {**weights, **{key: array for key, array in longer.items() if key in weights}}
    with pytest.raises(DataError, match=rf"{role} has .* \(9,\) in the content tower"):
        replace(contents, tower=replace(contents.tower, weights=other))


def test_a_tower_of_other_modalities(contents):
    weights = {k: w for k, w in contents.tower.weights.items() if "/text/" not in k}
    with pytest.raises(DataError, match="modality_weights"):
        replace(contents, tower=replace(contents.tower, weights=weights))


def test_genres_that_the_model_does_not_know(contents):
    catalogue = contents.catalogue
    more = replace(
        catalogue,
        genre_names=(*catalogue.genre_names, "Western"),
        genres=np.hstack([catalogue.genres, catalogue.genres[:, :1]]),
    )
    with pytest.raises(DataError, match=r"the model knows \(4,\) genres, not 5"):
        replace(contents, catalogue=more)


def test_seen_is_what_is_stored_whatever_its_value(contents):
    zeros = contents.seen.astype(np.float32)
    zeros.data[:] = 0
    assert (replace(contents, seen=zeros).seen != contents.seen).nnz == 0


def test_provenance_of_a_split(contents):
    from recsys.data.splits import Split, SplitSpec

    world = two_genre_world()
    spec = SplitSpec("ro", 3, {"train": 8}, "d" * 64)
    split = Split(world.train, world.valid, world.test, spec)
    found = Provenance.of(contents.provenance.dataset, split, world.catalogue)
    assert found.split.fingerprint == split.fingerprint
    assert (found.split.seed, found.split.params) == (3, {"train": 8})
    assert found.encoders == {n: t.card for n, t in world.catalogue.modalities.items()}
