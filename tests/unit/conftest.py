"""A toy world in files, for whatever reads, splits, trains and searches."""

from __future__ import annotations

import csv

import pytest

from recsys.config.modalities import FeaturesConfig, MetadataConfig
from recsys.testing.worlds import GENRES, two_genre_world


def write_world(folder, seed):
    """A world in the files of MovieLens' CSV layout, genres of all movies known."""
    folder.mkdir(parents=True)
    world = two_genre_world(seed)
    with (folder / "ratings.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["userId", "movieId", "rating", "timestamp"])
        for part in (world.train, world.test):
            rows.writerows(zip(part.user + 1, part.item + 1, part.rating, part.time, strict=True))
    with (folder / "movies.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["movieId", "title", "genres"])
        for row, year in enumerate(world.catalogue.years):
            rows.writerow([row + 1, f"Movie {row} ({year})", GENRES[world.genre[row]]])
    return folder


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("data") / "toy", seed=0)


@pytest.fixture(scope="session")
def other_data_dir(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("other") / "toy", seed=1)


@pytest.fixture(scope="session")
def toy_features() -> FeaturesConfig:
    """The years of the movies and nothing else: no weights are needed."""
    return FeaturesConfig(text=None, metadata=MetadataConfig(fields={"director": 1}, dim=4))
