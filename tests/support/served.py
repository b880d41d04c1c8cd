"""A small trained world without training: random arrays that hang together, ready to be bundled.

Legend: U users, I items, D_m dimensions of modality m.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle import BundleContents, DatasetRecord, Provenance
from recsys.config.experiment import ExperimentConfig, ModelConfig, UserConfig
from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue, EncoderCard
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.split import Source, SplitSpec
from recsys.data.vocabulary import Vocabulary
from recsys.queries.context import Context
from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.content import embedding_heads
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel, MovieVectors, RatingConstants
from recsys.recommenders.joint.formulas import RatingShrinkage
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.storage import Fitted
from recsys.recommenders.saving import contents_of
from recsys.seeding import stream

N_USERS = 20
N_ITEMS = 40
COLD = np.arange(34, N_ITEMS)
TWINS = (3, 7)
NAMELESS = 5
UNIMPRESSED, INSATIABLE = "u18", "u19"
"""A user who liked nothing, and one who has seen everything."""

GENRES = ("Action", "Comedy", "Drama", "Musical")
DIMS = {"metadata": 5, "text": 7}
CONTENT_DIM, FUSION_DIM = 6, 5
MODEL = ModelConfig(ranking_dim=8, rating_dim=4)
_WITHOUT_OFFSET = {
    "weight",
    "genre_logits",
    "audience_mean",
    "audience_log_variance",
    "modality_weights",
}


@dataclass(frozen=True, eq=False)
class ServedWorld:
    """A model that was never trained, and the content it was made from.

    Attributes:
        model: movies ``COLD`` have no ratings and are their content; rows ``TWINS`` are one film;
            ``NAMELESS`` has neither title nor year.
        features: modality to (I, D_m) content vectors.
    """

    model: JointRecommender
    features: Mapping[str, NDArray[np.float32]]

    @property
    def contents(self) -> BundleContents:
        """What a bundle of the model holds."""
        return replace(contents_of(self.model), provenance=_provenance(self.model))


@cache
def served_world(seed: int = 0) -> ServedWorld:
    """The same seed gives the same world."""
    random = stream(seed, "served world")
    features = {name: _normal(random, N_ITEMS, dim) for name, dim in DIMS.items()}
    tower = _tower(random)
    catalogue = _catalogue(random)
    histories, seen = _histories(random, catalogue.items)
    config = ExperimentConfig()
    model = EmbeddingModel(
        _vectors(random, tower, features),
        config.user,
        RatingConstants(
            RatingShrinkage(5.0, 7.0),
            0.25,
            RatingScale(),
            RatingLevels.midway((1.0, 2.0, 3.0, 4.0, 5.0)),
        ),
    )
    spec = SplitSpec("ro", 2020, {"train": 8, "valid": 1, "test": 1}, histories.fingerprint)
    fitted = JointRecommender.restore(
        config,
        Fitted(model, tower, 0).arrays(),
        Source("toy", spec, "f" * 64),
        Context(catalogue, histories, seen),
    )
    return ServedWorld(fitted, features)


@cache
def timed_world(seed: int = 0) -> ServedWorld:
    """``served_world`` with ratings weighed by stars, each given at a time within a year."""
    world, random = served_world(seed), stream(seed, "timed world")
    old, user = world.model, UserConfig(liked_min_rating=3, rating_slope=0.4)
    times = random.integers(0, 365 * 86_400, len(old.context.histories))
    context = replace(old.context, histories=replace(old.context.histories, time=times))
    config = old.config.model_copy(update={"user": user})
    model = JointRecommender.restore(config, old.arrays(), old.source, context)
    return ServedWorld(model, world.features)


def with_parts(contents: BundleContents, **parts: Any) -> BundleContents:
    """What a bundle of a joint model holds, where its ``model`` or ``tower`` is another."""
    return replace(contents, arrays=parts_of(contents)._replace(**parts).arrays())


def parts_of(contents: BundleContents) -> Fitted:
    """The model and the tower that a bundle of a joint model holds."""
    return Fitted.of(contents.arrays, contents.config)


def _normal(random: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return random.normal(size=shape).astype(np.float32)


def _tower(random: np.random.Generator) -> ContentTower:
    weights = {
        "shared/weight": _normal(random, CONTENT_DIM, FUSION_DIM),
        "shared/bias": _normal(random, CONTENT_DIM),
    }
    for role in embedding_heads(MODEL, len(GENRES)):
        spread = np.float32(1 if role.dim > 1 else 1 / 4)
        weights[f"role/{role.name}/weight"] = spread * _normal(random, role.dim, CONTENT_DIM)
        if not role.offset:
            weights[f"role/{role.name}/bias"] = spread * _normal(random, role.dim)
    for name, dim in DIMS.items():
        own = {
            "centre": _normal(random, dim),
            "scale": np.array(1.5, dtype=np.float32),
            "weight": _normal(random, FUSION_DIM, dim) / np.float32(np.sqrt(dim)),
            "bias": _normal(random, FUSION_DIM),
            "absent": np.zeros(FUSION_DIM, dtype=np.float32),
        }
        weights |= {f"modality/{name}/{key}": array for key, array in own.items()}
    return ContentTower(weights, "sum", 1 / 3, 3.5, 1.0)


def _vectors(
    random: np.random.Generator, tower: ContentTower, features: Mapping[str, NDArray[np.float32]]
) -> MovieVectors:
    content = tower.embed(features, N_ITEMS)
    warm = np.isin(np.arange(N_ITEMS), COLD, invert=True)
    arrays: dict[str, Any] = {}
    for name, array in content.arrays().items():
        offset = _normal(random, *array.shape) / 4
        offset[~warm] = 0
        arrays[name] = array if name in _WITHOUT_OFFSET else array + offset
    arrays["weight"] = np.where(warm, random.uniform(0.4, 1, N_ITEMS), 1).astype(np.float32)
    return MovieVectors(**arrays)


def _catalogue(random: np.random.Generator) -> Catalogue:
    titles = [f"Movie {chr(65 + row % 26)}{row}" for row in range(N_ITEMS)]
    years = 1960 + np.arange(N_ITEMS)
    titles[TWINS[1]], years[TWINS[1]] = titles[TWINS[0]], years[TWINS[0]]
    titles[NAMELESS], years[NAMELESS] = "", UNKNOWN_YEAR
    genres = random.random((N_ITEMS, len(GENRES))) < 0.4
    return Catalogue(
        items=Vocabulary([f"m{row}" for row in range(N_ITEMS)], kind="movie"),
        titles=tuple(titles),
        years=years.astype(np.int32),
        genre_names=GENRES,
        genres=genres,
    )


def _histories(random: np.random.Generator, items: Vocabulary) -> tuple[Interactions, sp.csr_array]:
    users = Vocabulary([f"u{row}" for row in range(N_USERS)], kind="user")
    rated = random.random((N_USERS, N_ITEMS)) < 0.3
    rated[:, COLD] = False
    stars = random.integers(1, 6, rated.shape)
    stars[users.row(UNIMPRESSED)] = np.minimum(stars[users.row(UNIMPRESSED)], 3)
    user, item = rated.nonzero()
    rating = stars[user, item].astype(np.float32)
    seen = rated | (random.random(rated.shape) < 0.05)
    seen[users.row(INSATIABLE)] = True
    histories = Interactions(users, items, user.astype(np.int32), item.astype(np.int32), rating)
    return histories, sp.csr_array(seen)


def _provenance(model: JointRecommender) -> Provenance:
    cards = {
        name: EncoderCard(f"toy {name}", "1", dim, "none", "none", "CC0-1.0", "none")
        for name, dim in DIMS.items()
    }
    source = model.source
    record = DatasetRecord(
        name="toy", fingerprint=source.spec.dataset, licence="CC0-1.0", citation="nobody"
    )
    made = Provenance.of(record, source, model.context.catalogue)
    return made.model_copy(update={"encoders": cards})
