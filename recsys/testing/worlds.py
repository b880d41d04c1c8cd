"""Toy worlds whose right answer is obvious.

Legend: U users, I items. The same seed gives the same world, and a world is never altered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue, EncoderCard, ModalityTable
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions, repeated_pairs
from recsys.data.split import Split, SplitSpec, TrainingData
from recsys.data.vocabulary import Vocabulary
from recsys.seeding import stream

N_USERS = 60
N_ITEMS = 60
N_COLD = 20
GENRES = ("comedy", "drama")
DIM = 8


@dataclass(frozen=True, eq=False)
class World:
    """Interactions, movies, and what is true of them.

    Attributes:
        train: ratings to learn from; no cold movie is among them.
        valid: ratings of warm movies to choose by.
        test: other ratings of warm movies, and all those of cold ones.
        catalogue: the movies with the modality "metadata" and the fact "director". The genres of
            cold movies are unknown in it: only their content tells.
        fans: (U,) which genre each user likes.
        genre: (I,) which genre each movie is.
        cold: (I,) whether a movie has no rating in ``train`` and ``valid``.
    """

    train: Interactions
    valid: Interactions
    test: Interactions
    catalogue: Catalogue
    fans: NDArray[np.int64]
    genre: NDArray[np.int64]
    cold: NDArray[np.bool_]

    @property
    def data(self) -> TrainingData:
        """What a model of this world is fitted on."""
        return TrainingData.of(self.train, self.valid, self.catalogue)

    @property
    def split(self) -> Split:
        """The world as a split of a data set."""
        whole = self.train.join(self.valid).join(self.test)
        dataset = Dataset("toy", whole, self.catalogue)
        return Split(dataset, self.train, self.valid, self.test, SplitSpec("toy", 0))

    def liking(self, movies: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(U, I) twice: the movies a user has not rated in ``train``, of their genre and not.

        Args:
            movies: (I,) which movies to consider.
        """
        unseen = np.tile(movies, (len(self.fans), 1))
        unseen[self.train.user, self.train.item] = False
        own = self.fans[:, None] == self.genre
        return unseen & own, unseen & ~own


@cache
def two_genre_world(seed: int = 0) -> World:
    """Half of the users love comedies, half love dramas, and the other genre leaves them cold.

    A user rates most movies of the liked genre, high, and a few of the other, low; generosity and
    quality shift the stars a little. Two of the content coordinates tell the genre, the others are
    noise. A cold movie of the liked genre must rank above a cold one of the other.
    """
    random = stream(seed, "two genres")
    fans, genre = np.arange(N_USERS) % 2, np.arange(N_ITEMS) % 2
    own = fans[:, None] == genre
    rated = random.random(own.shape) < np.where(own, 0.75, 0.2)
    shift = 0.4 * random.normal(size=(N_USERS, 1)) + 0.4 * random.normal(size=N_ITEMS)
    stars = np.where(own, 4.3, 2.0) + shift + 0.3 * random.normal(size=own.shape)
    cold = np.arange(N_ITEMS) >= N_ITEMS - N_COLD
    return _world(random, rated, stars, (fans, genre, cold))


@cache
def shuffled_features_world(seed: int = 0) -> World:
    """``two_genre_world`` with content that tells nothing: cold ranking must fall to chance.

    Rows of content and facts are permuted such that half of each genre's warm movies, and half of
    its cold ones, carry the content of a movie of the other genre.
    """
    world = two_genre_world(seed)
    random = stream(seed, "shuffled features")
    source = np.arange(N_ITEMS)
    for group in (np.flatnonzero(~world.cold), np.flatnonzero(world.cold)):
        first, second = (random.permutation(group[world.genre[group] == g]) for g in (0, 1))
        half = len(first) // 2
        source[first[:half]], source[second[:half]] = second[:half], first[:half]
        source[first[half:]] = np.roll(first[half:], 1)
        source[second[half:]] = np.roll(second[half:], 1)
    return replace(world, catalogue=_with_content_of(world.catalogue, source))


@cache
def popularity_world(seed: int = 0) -> World:
    """Taste does not exist: the lower the row of a movie, the more people rate it, and higher.

    No movie is cold and content says nothing; users differ in generosity.
    """
    random = stream(seed, "popularity")
    appeal = np.linspace(0.9, 0.1, N_ITEMS)
    rated = random.random((N_USERS, N_ITEMS)) < appeal
    stars = 2.0 + 2.5 * appeal + 0.5 * random.normal(size=(N_USERS, 1))
    stars = stars + 0.4 * random.normal(size=rated.shape)
    fans, genre = np.arange(N_USERS) % 2, random.permutation(np.arange(N_ITEMS) % 2)
    return _world(random, rated, stars, (fans, genre, np.zeros(N_ITEMS, dtype=bool)))


@cache
def shuffled_ratings_world(seed: int = 0) -> World:
    """``two_genre_world`` with the item column of its training ratings permuted.

    Users and movies keep about as many ratings as they had, but who rated what tells nothing.
    """
    world = two_genre_world(seed)
    item = stream(seed, "shuffled ratings").permutation(world.train.item)
    once = ~repeated_pairs(world.train.user, item, N_ITEMS)
    train = replace(world.train.select(once), item=item[once])
    valid, test = (_without(part, train) for part in (world.valid, world.test))
    return replace(world, train=train, valid=valid, test=test)


def bare_catalogue(items: Vocabulary) -> Catalogue:
    """Movies of which nothing is known but the id."""
    n = len(items)
    return Catalogue(items, ("",) * n, np.full(n, UNKNOWN_YEAR), (), np.zeros((n, 0), dtype=bool))


def data_of(
    train: Interactions, valid: Interactions | None = None, catalogue: Catalogue | None = None
) -> TrainingData:
    """Ratings to fit a model on; nothing is valid, and nothing known of movies, unless given."""
    nothing = train.select(np.arange(0))
    return TrainingData.of(train, valid or nothing, catalogue or bare_catalogue(train.items))


def without_content(world: World, movies: NDArray[np.bool_]) -> World:
    """The same world where the given (I,) movies have no content vector."""
    table = world.catalogue.modalities["metadata"]
    bare = replace(table, present=table.present & ~movies)
    return replace(world, catalogue=world.catalogue.with_modality(bare))


Truth = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


def _world(
    random: np.random.Generator, rated: NDArray[np.bool_], stars: NDArray[np.float64], truth: Truth
) -> World:
    fans, genre, cold = truth
    users = Vocabulary((f"u{n}" for n in range(N_USERS)), kind="user")
    items = Vocabulary((f"m{n}" for n in range(N_ITEMS)), kind="movie")
    pairs = np.argwhere(rated).astype(np.int32)
    user, item = pairs[random.permutation(len(pairs))].T
    rating = np.clip(np.rint(stars[user, item]), 1, 5)
    whole = Interactions(users, items, user, item, rating, time=np.arange(len(user)))
    part = np.where(cold[item], 1.0, random.random(len(user)))
    return World(
        train=whole.select(part < 0.7),
        valid=whole.select((part >= 0.7) & (part < 0.8)),
        test=whole.select(part >= 0.8),
        catalogue=_catalogue(random, items, genre, cold),
        fans=fans,
        genre=genre,
        cold=cold,
    )


def _catalogue(
    random: np.random.Generator,
    items: Vocabulary,
    genre: NDArray[np.int64],
    cold: NDArray[np.bool_],
) -> Catalogue:
    vectors = 0.2 * random.normal(size=(N_ITEMS, DIM))
    vectors[np.arange(N_ITEMS), genre] += 1.0
    card = EncoderCard("toy", "1", DIM, "none", "none", "CC0-1.0", "none")
    present = np.ones(N_ITEMS, dtype=bool)
    table = ModalityTable("metadata", vectors.astype(np.float32), present, card, items.fingerprint)
    directors = tuple((f"{GENRES[g]} director {n % 6 // 2}",) for n, g in enumerate(genre))
    return Catalogue(
        items=items,
        titles=tuple(f"Movie {n}" for n in range(N_ITEMS)),
        years=1960 + np.arange(N_ITEMS, dtype=np.int32),
        genre_names=GENRES,
        genres=(np.arange(len(GENRES)) == genre[:, None]) & ~cold[:, None],
        facts={"director": directors},
        modalities={"metadata": table},
    )


def _with_content_of(catalogue: Catalogue, source: NDArray[np.int64]) -> Catalogue:
    table = catalogue.modalities["metadata"]
    directors: Sequence[tuple[str, ...]] = [catalogue.facts["director"][row] for row in source]
    shuffled = replace(table, vectors=table.vectors[source], present=table.present[source])
    return replace(catalogue, facts={"director": directors}).with_modality(shuffled)


def _without(interactions: Interactions, others: Interactions) -> Interactions:
    taken = others.matrix()[interactions.user, interactions.item]
    return interactions.select(np.asarray(taken == 0).ravel())
