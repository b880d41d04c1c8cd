from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from recsys.config.experiment import (
    ExperimentConfig,
    FusionConfig,
    ModelConfig,
    SharingConfig,
    UserConfig,
)
from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.interactions import Interactions, RatingScale
from recsys.data.vocabulary import Vocabulary

N_USERS, N_ITEMS = 12, 15
GENRES = ("comedy", "drama", "western")
COLD = (11, 12, 13, 14)
DIMS = {"metadata": 4, "text": 6}
ABSENT = {"metadata": (1, 3, 12, 14), "text": (2, 3, 13, 14)}
"""Rows without the modality; rows 3 and 14 have none at all."""

HATES_ALL, RATES_ONCE, RATES_NONE = 9, 10, 11
FUSIONS = ("sum", "concat", "gated", "sparse")
SCHEMES = ("fs", "sp", "asp")
SMALL = ExperimentConfig(
    name="small",
    seed=3,
    user=UserConfig(rating_slope=0.4, popularity_exponent=0.3),
    fusion=FusionConfig(dim=5),
    sharing=SharingConfig(shared_dim=4, private_dim=3, discriminator_dim=6),
    model=ModelConfig(ranking_dim=6, rating_dim=3, temperature=0.5),
)
"""Every width is another one, so that none can be taken for another."""


@dataclass(frozen=True, eq=False)
class Toy:
    """Half stars from 0 to 5, explicit zeros among them; some movies cold, some without content."""

    train: Interactions
    catalogue: Catalogue


@pytest.fixture(scope="session")
def toy() -> Toy:
    random = np.random.default_rng(5)
    rated = random.random((N_USERS, N_ITEMS)) < 0.5
    rated[:, COLD] = False
    rated[RATES_NONE] = rated[RATES_ONCE] = False
    rated[RATES_ONCE, 4] = True
    stars = random.integers(0, 11, rated.shape) / 2
    stars[HATES_ALL] = 0
    user, item = rated.nonzero()
    items = Vocabulary((f"m{n}" for n in range(N_ITEMS)), kind="movie")
    users = Vocabulary((f"u{n}" for n in range(N_USERS)), kind="user")
    train = Interactions(users, items, user, item, stars[user, item], scale=RatingScale(0, 5))
    catalogue = Catalogue(
        items=items,
        titles=("",) * N_ITEMS,
        years=np.full(N_ITEMS, 1990),
        genre_names=GENRES,
        genres=random.random((N_ITEMS, len(GENRES))) < 0.5,
    )
    for name, dim in DIMS.items():
        present = ~np.isin(np.arange(N_ITEMS), ABSENT[name])
        vectors = 3 + 2 * random.normal(size=(N_ITEMS, dim))
        catalogue = catalogue.with_modality(table(name, vectors, present, items))
    return Toy(train, catalogue)


def table(name, vectors, present, items) -> ModalityTable:
    card = EncoderCard("toy", "1", vectors.shape[1], "none", "none", "CC0-1.0", "none")
    return ModalityTable(name, vectors.astype(np.float32), present, card, items.fingerprint)


def small(**sections) -> ExperimentConfig:
    """``SMALL`` with some values of its sections replaced, and whole values such as the seed."""
    changes = {}
    for name, change in sections.items():
        section = getattr(SMALL, name)
        changes[name] = section.model_copy(update=change) if isinstance(change, dict) else change
    return SMALL.model_copy(update=changes)


@pytest.fixture(scope="session")
def toy_features(toy):
    """Modality to vectors, as a content tower is asked: a row that is absent is not finite."""
    tables = toy.catalogue.modalities
    return {
        name: np.where(t.present[:, None], t.vectors, np.float32(np.nan))
        for name, t in tables.items()
    }


@pytest.fixture(scope="session")
def toy_present(toy):
    """(I, M) which modalities there are, in the order of the towers."""
    return np.stack([table.present for _, table in sorted(toy.catalogue.modalities.items())], 1)


@pytest.fixture(scope="session")
def make_joint(toy):
    """A joint model, by default with numbers all away from zero, as after training.

    Keywords are sections of the configuration, see ``small``.
    """
    torch = pytest.importorskip("torch", reason="the joint model needs torch")
    from recsys.recommenders.joint.network import JointModel, TrainStatistics

    def make(catalogue=toy.catalogue, *, stirred=True, **sections):
        model = JointModel(catalogue, TrainStatistics.of(toy.train), small(**sections))
        random = torch.Generator().manual_seed(8)
        with torch.no_grad():
            for parameter in model.parameters() if stirred else ():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=random))
        return model.eval()

    return make


@pytest.fixture(scope="session")
def joint(make_joint):
    """One such model; no test may alter it."""
    return make_joint()


@pytest.fixture(scope="session", params=[(f, s) for f in FUSIONS for s in SCHEMES], ids="-".join)
def variant(request):
    """Sections of the configuration for every fusion kind and every sharing scheme."""
    fusion, scheme = request.param
    return {"fusion": {"kind": fusion}, "sharing": {"scheme": scheme}}
