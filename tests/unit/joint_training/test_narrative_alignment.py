"""Alignment of two modalities that tell of one thing, and of two that do not."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from torch import nn
from torch.nn import functional

from recsys.config.experiment import AlignmentConfig, FusionConfig, SharingConfig
from recsys.data.catalogue import EncoderCard, ModalityTable
from recsys.errors import ConfigError, DataError, RecsysError
from recsys.recommenders.joint.item_tower import ItemTower, TowerConfig
from recsys.recommenders.joint.training.alignment import align

N, COLD, MUTE = 240, slice(220, 230), slice(230, 240)
"""Movies; those nobody rated; those without metadata."""

CONFIG = AlignmentConfig(epochs=30, batch_size=64, learning_rate=0.01, held_out=0.25)
FILMS = np.arange(N)


class StandIn(nn.Module):
    """Codes of given features, and a note of which rows were read in training."""

    def __init__(self, features: dict[str, np.ndarray], dim: int = 16) -> None:
        super().__init__()
        self.names = sorted(features)
        self.features = {k: torch.tensor(v, dtype=torch.float32) for k, v in features.items()}
        self.warm = torch.ones(N, 1)
        self.warm[COLD] = 0
        self.learnt = nn.ParameterDict()
        rng = torch.Generator().manual_seed(1)
        for name, x in self.features.items():
            weight = torch.randn(dim, x.shape[1], generator=rng) / x.shape[1] ** 0.5
            self.learnt[f"{name}/weight"] = nn.Parameter(weight)
            self.learnt[f"{name}/bias"] = nn.Parameter(torch.zeros(dim))
        self.read: list[list[int]] = []

    def code(self, name, rows=None, dropout=0.0):
        x = self.features[name]
        if rows is not None:
            x = x[rows]
        if self.training:
            self.read.append(rows.tolist())
        x = functional.dropout(x, dropout, self.training)
        return torch.tanh(x @ self.learnt[f"{name}/weight"].T + self.learnt[f"{name}/bias"])

    def present(self, name):
        has = torch.ones(N, dtype=torch.bool)
        if name == "metadata":
            has[MUTE] = False
        return has

    def code_parameters(self, name):
        return [self.learnt[f"{name}/{part}"] for part in ("weight", "bias")]


def features(seed: int = 0) -> dict[str, np.ndarray]:
    """Text and metadata are two noisy views of a latent; the poster is of something else."""
    random = np.random.default_rng(seed)
    latent = random.normal(size=(N, 8))

    def view(dim: int) -> np.ndarray:
        return latent @ random.normal(size=(8, dim)) / 8**0.5 + 0.2 * random.normal(size=(N, dim))

    return {"text": view(20), "metadata": view(12), "poster": random.normal(size=(N, 12))}


def weights(tower) -> dict[str, np.ndarray]:
    return {name: p.detach().numpy().copy() for name, p in tower.learnt.items()}


def equal(one, other) -> bool:
    a, b = weights(one), weights(other)
    return all(a[name].tobytes() == b[name].tobytes() for name in a)


def settings(**changes) -> AlignmentConfig:
    return CONFIG.model_copy(update=changes)


def aligned(given=None, films=FILMS, seed=0, **changes):
    tower = StandIn(features() if given is None else given)
    return tower, align(tower, settings(**changes), films, seed)


@pytest.fixture(scope="module")
def done():
    return aligned()


def test_a_plot_it_never_saw_finds_its_own_metadata(done):
    _, report = done
    assert (report.n_trained, report.n_held_out) == (165, 55)
    assert report.before["recall@10"] < 0.4
    assert report.after["recall@10"] > 0.9
    assert report.after["all/recall@10"] > 0.6
    assert report.losses[-1] < 0.5 * report.losses[0]


def test_chance_is_of_as_many_movies_as_are_looked_among(done):
    _, report = done
    assert report.chance["recall@10"] == pytest.approx(10 / 55)
    assert report.chance["all/recall@1"] == pytest.approx(1 / 220)


def test_what_has_nothing_to_do_with_the_plot_is_learnt_by_heart_and_found_by_chance():
    """The loss falls as before, and held-out retrieval says that nothing was learnt."""
    _, report = aligned(target="poster", weight_decay=0, feature_dropout=0, held_out=0.5)
    assert report.losses[-1] < 0.7 * report.losses[0]
    chance = report.chance["recall@10"]
    error = (chance * (1 - chance) / report.n_held_out) ** 0.5
    assert abs(report.after["recall@10"] - chance) < 4 * error


def test_only_the_two_codes_are_trained(done):
    tower, _ = done
    start, end = weights(StandIn(features())), weights(tower)
    changed = {name for name in start if not np.array_equal(start[name], end[name])}
    assert changed == {"text/weight", "text/bias", "metadata/weight", "metadata/bias"}


def held_out_of(tower) -> np.ndarray:
    """Usable movies that no training step read."""
    usable = np.setdiff1d(np.arange(N), np.r_[COLD, MUTE])
    return np.setdiff1d(usable, np.concatenate(tower.read))


def test_movies_held_out_cold_or_without_metadata_teach_nothing(done):
    tower, report = done
    unread = np.r_[held_out_of(tower), np.arange(N)[COLD], np.arange(N)[MUTE]]
    assert len(unread) == report.n_held_out + 20
    other = {name: x.copy() for name, x in features().items()}
    for x in other.values():
        x[unread] = np.random.default_rng(9).normal(size=(len(unread), x.shape[1]))
    again, _ = aligned(other)
    assert equal(again, tower)


def test_entries_of_one_film_are_held_out_together():
    films = np.arange(N) // 2
    tower, report = aligned(films=films)
    held_out = held_out_of(tower)
    assert len(held_out) == report.n_held_out == 56  # a quarter of 110 films, rounded
    trained = np.unique(np.concatenate(tower.read))
    assert not set(films[held_out]) & set(films[trained])


def test_entries_of_one_film_are_no_negatives():
    """With everything one film but one movie, twins far apart are not pushed further."""
    films = np.where(np.arange(N) < 200, 0, 1)
    _, report = aligned(films=films, held_out=0, epochs=1)
    _, apart = aligned(held_out=0, epochs=1)
    assert report.losses[0] < 0.8 * apart.losses[0]


@pytest.mark.parametrize("name", ["text", "metadata"])
def test_movies_with_equal_features_are_no_negatives(name):
    """Where all movies have the same plot, or the same metadata, there is nothing to tell apart."""
    given = features()
    given[name] = np.broadcast_to(given[name][:1], given[name].shape)
    tower, report = aligned(given, epochs=2)
    assert report.losses == (0, 0)
    assert equal(tower, StandIn(given))


def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before(done):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    tower, report = aligned()
    assert equal(tower, done[0])
    assert report == done[1]
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_holds_out_other_films(done):
    tower, _ = aligned(seed=1)
    assert set(held_out_of(tower)) != set(held_out_of(done[0]))


@pytest.mark.parametrize("mode", [True, False])
def test_the_tower_is_left_in_the_mode_it_was_in(mode):
    tower = StandIn(features()).train(mode)
    align(tower, settings(epochs=1), FILMS, 0)
    assert tower.training is mode
    tower.learnt["text/weight"].data[:] = torch.nan
    with pytest.raises(RecsysError, match="loss of alignment is nan"):
        align(tower, settings(epochs=1), FILMS, 0)
    assert tower.training is mode


def test_a_last_batch_of_one_movie_is_passed_over():
    """164 movies a batch leave one of 165; alone it has no negatives."""
    tower, report = aligned(batch_size=164, epochs=3)
    assert [len(rows) for rows in tower.read] == [164, 164] * 3
    assert all(np.isfinite(report.losses))


def test_batches_of_one_train_nothing():
    tower, report = aligned(batch_size=1, epochs=1)
    assert equal(tower, StandIn(features()))
    assert report.losses == (0,)


def test_every_movie_is_read_once_an_epoch_in_a_new_order():
    tower, report = aligned(epochs=2, batch_size=50)
    texts = tower.read[::2]
    one, two = (np.concatenate(texts[n : n + 4]).tolist() for n in (0, 4))
    assert len(texts) == 8
    assert one != two
    assert sorted(one) == sorted(two) == sorted(set(one))
    assert len(one) == report.n_trained


def test_decay_is_of_matrices_alone():
    still = {"learning_rate": 1e-6, "epochs": 1}
    start = weights(StandIn(features()))
    end = weights(aligned(weight_decay=1e5, **still)[0])
    for name in ("text", "metadata"):
        norms = [np.linalg.norm(found[f"{name}/weight"]) for found in (start, end)]
        assert norms[1] < 0.95 * norms[0]
    free = weights(aligned(weight_decay=0, **still)[0])
    np.testing.assert_allclose(end["text/bias"], free["text/bias"], atol=2e-5)


def test_without_epochs_nothing_is_trained_and_all_is_measured():
    tower, report = aligned(epochs=0)
    assert equal(tower, StandIn(features()))
    assert report.losses == ()
    assert report.after == report.before


def test_without_held_out_films_all_train_and_nothing_is_measured():
    _, report = aligned(held_out=0, epochs=1)
    assert (report.n_trained, report.n_held_out) == (220, 0)
    assert report.summary() == {
        "alignment/n_trained": 220,
        "alignment/n_held_out": 0,
        "alignment/loss": report.losses[-1],
    }


def test_the_summary_names_what_was_measured(done):
    _, report = done
    found = report.summary()
    assert found["alignment/recall@1"] == report.after["recall@1"]
    assert found["alignment/all/mrr/before"] == report.before["all/mrr"]
    assert found["alignment/recall@10/chance"] == report.chance["recall@10"]
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize("role", ["anchor", "target"])
def test_a_modality_that_is_not_there_is_named_with_those_that_are(role):
    with pytest.raises(ConfigError, match=rf"alignment\.{role} is 'audio'") as caught:
        aligned(**{role: "audio"})
    assert "metadata, poster, text" in str(caught.value)


def test_a_modality_is_not_aligned_with_itself():
    with pytest.raises(ConfigError, match="both 'metadata'"):
        aligned(anchor="metadata")


def test_without_movies_that_have_both_there_is_nothing_to_align():
    tower = StandIn(features())
    tower.present = lambda name: torch.arange(N) % 2 == (name == "text")
    with pytest.raises(DataError, match="0 films rated in training have both text and metadata"):
        align(tower, CONFIG, FILMS, 0)


def test_one_film_cannot_be_told_from_others():
    with pytest.raises(DataError, match="1 films"):
        aligned(films=np.zeros(N, dtype=int))


def table(name: str, vectors: np.ndarray) -> ModalityTable:
    card = EncoderCard(name, "1", vectors.shape[1], "", "", "", "")
    present = np.arange(N) < 230
    return ModalityTable(name, vectors.astype(np.float32), present, card, "movies")


def test_the_item_tower_is_aligned_and_only_its_codes():
    tables = {name: table(name, x) for name, x in features().items()}
    config = TowerConfig(FusionConfig(dim=16), SharingConfig(), (), seed=0)
    tower = ItemTower(tables, np.arange(N) < 220, config)
    before = copy.deepcopy(tower.state_dict())
    report = align(tower, CONFIG, FILMS, 0)
    assert report.n_trained + report.n_held_out == 220
    assert report.after["recall@10"] > 0.9
    changed = {k for k, v in tower.state_dict().items() if not torch.equal(v, before[k])}
    codes = {
        f"learnt.modality/{name}/{part}"
        for name in ("text", "metadata")
        for part in ("weight", "bias")
    }
    assert changed == codes
