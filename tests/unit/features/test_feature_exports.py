"""What is written for others, and read back, is what we had."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from recsys.config.imports import FileImport, ImportPolicy
from recsys.data.dataset import Dataset
from recsys.data.readers import atomic
from recsys.data.split import Split, SplitSpec
from recsys.errors import AlignmentError, ConfigError, DataError
from recsys.features.alignment import import_modality
from recsys.features.export import export_mmrec, export_parquet, export_recbole
from recsys.testing.worlds import two_genre_world, without_content

KEEP = ImportPolicy(on_zero_row="keep")


@pytest.fixture(scope="module")
def world():
    world = two_genre_world()
    absent = np.arange(len(world.catalogue)) % 7 == 3
    return without_content(world, absent)


@pytest.fixture(scope="module")
def catalogue(world):
    table = world.catalogue.modalities["metadata"]
    poster = replace(table, name="poster", vectors=table.vectors[::-1], present=table.present[::-1])
    return world.catalogue.with_modality(poster)


@pytest.fixture(scope="module")
def split(world):
    dataset = Dataset("toy", world.train, world.catalogue)
    return Split(dataset, world.train, world.valid, world.test, SplitSpec("toy", 0))


def back(catalogue, name, path, **options):
    return import_modality(name, FileImport(path=path, policy=KEEP, **options), catalogue)[0]


def same(found, table):
    np.testing.assert_array_equal(found.present, table.present)
    np.testing.assert_array_equal(found.vectors, table.vectors)


def test_parquet_carries_the_card(catalogue, tmp_path):
    export_parquet(catalogue, "poster", tmp_path / "out" / "poster.parquet")
    found = back(catalogue, "poster", tmp_path / "out" / "poster.parquet")
    assert found.fingerprint == catalogue.modalities["poster"].fingerprint
    assert found.card == catalogue.modalities["poster"].card


def test_parquet_of_a_modality_that_is_not_there(catalogue, tmp_path):
    with pytest.raises(ConfigError, match="it has: poster"):
        export_parquet(catalogue, "posters", tmp_path / "x.parquet")


def test_recbole_files_are_read_back_by_our_own_reader(catalogue, world, tmp_path):
    odd = replace(catalogue, titles=('The "Big" one', *catalogue.titles[1:]))
    written = export_recbole(odd, world.train, tmp_path, "toy")
    assert sorted(path.name for path in written) == [
        "toy.inter",
        "toy.item",
        "toy.metadataemb",
        "toy.posteremb",
        "toy.yaml",
    ]
    movies = atomic.read_movies(tmp_path / "toy.item")
    assert [movie.id for movie in movies] == list(catalogue.items)
    assert movies[0].title == "The 'Big' one"
    assert [movie.year for movie in movies] == catalogue.years.tolist()
    assert [list(m.genres) for m in movies] == [catalogue.genres_of(r) for r in range(len(movies))]
    columns = atomic.read_atomic(tmp_path / "toy.inter")
    users, items = world.train.users, world.train.items
    assert columns["user_id"] == [users.id(row) for row in world.train.user]
    assert columns["item_id"] == [items.id(row) for row in world.train.item]
    np.testing.assert_array_equal(np.float32(columns["rating"]), world.train.rating)
    assert columns["timestamp"] == world.train.time.tolist()
    for name, table in catalogue.modalities.items():
        same(back(catalogue, name, tmp_path / f"toy.{name}emb"), table)


def test_recbole_genres_of_two_words_stay_one_label(catalogue, world, tmp_path):
    named = replace(catalogue, genre_names=("science fiction", "drama"))
    export_recbole(named, world.train, tmp_path, "toy")
    labels = {
        genre for movie in atomic.read_movies(tmp_path / "toy.item") for genre in movie.genres
    }
    assert labels == {"science_fiction", "drama"}


def test_mmrec_files_are_read_back(catalogue, split, tmp_path):
    export_mmrec(catalogue, split, tmp_path, "toy")
    for stem, name in (("image", "poster"), ("metadata", "metadata")):
        found = back(
            catalogue,
            name,
            tmp_path / f"{stem}_feat.npy",
            ids=tmp_path / "i_id_mapping.csv",
            mask=tmp_path / f"{stem}_mask.npy",
        )
        same(found, catalogue.modalities[name])


def test_mmrec_absent_rows_are_the_mean_of_the_present(catalogue, split, tmp_path):
    export_mmrec(catalogue, split, tmp_path, "toy")
    vectors, real = (np.load(tmp_path / f"image_{kind}.npy") for kind in ("feat", "mask"))
    assert vectors.dtype == np.float32
    assert 0 < real.sum() < len(real)
    np.testing.assert_allclose(
        vectors[~real], np.tile(vectors[real].mean(axis=0), (int((~real).sum()), 1)), rtol=1e-5
    )


def test_mmrec_numbers_rated_movies_without_gaps_and_labels_the_parts(catalogue, split, tmp_path):
    rated = split.train.item != 5
    fewer = replace(
        split,
        train=split.train.select(rated),
        valid=split.valid.select(split.valid.item != 5),
        test=split.test.select(split.test.item != 5),
    )
    export_mmrec(catalogue, fewer, tmp_path, "toy")
    import pandas as pd  # as MMRec reads it

    frame = pd.read_csv(tmp_path / "toy.inter", sep="\t")
    assert list(frame) == ["userID", "itemID", "rating", "timestamp", "x_label"]
    movies = pd.read_csv(tmp_path / "i_id_mapping.csv", sep="\t")
    users = pd.read_csv(tmp_path / "u_id_mapping.csv", sep="\t")
    assert frame.itemID.max() + 1 == frame.itemID.nunique() == len(movies) == 59
    assert len(np.load(tmp_path / "image_feat.npy")) == 59
    assert "m5" not in set(movies.item_id)
    for label, part in enumerate(fewer.parts.values()):
        rows = frame[frame.x_label == label]
        assert users.user_id[rows.userID].tolist() == [part.users.id(u) for u in part.user]
        assert movies.item_id[rows.itemID].tolist() == [part.items.id(i) for i in part.item]
        np.testing.assert_array_equal(rows.rating.to_numpy(np.float32), part.rating)
    settings = yaml.safe_load((tmp_path / "toy.yaml").read_text())
    assert settings["inter_file_name"] == "toy.inter"
    assert settings["vision_feature_file"] == "image_feat.npy"
    assert settings["field_separator"] == "\t"


def test_ratings_of_other_movies_are_refused(catalogue, split, tmp_path, make_catalogue):
    other = make_catalogue(["Heat"])
    with pytest.raises(AlignmentError):
        export_recbole(other, split.train, tmp_path, "toy")
    with pytest.raises(AlignmentError):
        export_mmrec(other, split, tmp_path, "toy")
    assert list(tmp_path.iterdir()) == []


def test_ids_that_would_break_the_lines_are_refused(catalogue, split, tmp_path):
    from recsys.data.vocabulary import Vocabulary

    users = Vocabulary(["a\tb", *split.train.users.ids[1:]], kind="user")
    with pytest.raises(DataError, match="1 user ids cannot stand"):
        export_recbole(catalogue, replace(split.train, users=users), tmp_path, "toy")
    assert list(tmp_path.iterdir()) == []
