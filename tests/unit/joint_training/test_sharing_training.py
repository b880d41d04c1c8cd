"""The laws of sharing, where they matter: in the gradients and the steps of the whole objective."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from support.joint import toy_experiment

from recsys.config.experiment import ExperimentConfig, LossWeights
from recsys.data.catalogue import EncoderCard, ModalityTable
from recsys.queries.query import rated_mask
from recsys.recommenders.closed_form.ease import ease_weights
from recsys.recommenders.joint import content
from recsys.recommenders.joint.network import JointModel, TrainStatistics
from recsys.recommenders.joint.training.loop import make_optimiser
from recsys.recommenders.joint.training.objective import (
    Batch,
    JointObjective,
    Targets,
    UserBatches,
)
from recsys.testing.worlds import N_ITEMS, two_genre_world

FUSIONS = ("sum", "concat", "gated", "sparse")
SCHEMES = ("fs", "sp", "asp")
TASKS = ("ranking", "rating", "genre", "audience")
PARTS = tuple(LossWeights.model_fields)
EVERYTHING = LossWeights(**dict.fromkeys(PARTS, 1))


@cache
def world():
    """Two genres told by two modalities, of which some movies lack one and some both."""
    plain, random = two_genre_world(), np.random.default_rng(0)
    text = random.normal(size=(N_ITEMS, 5)).astype(np.float32)
    text[:, 0] += 2 * plain.genre
    catalogue, items = plain.catalogue, plain.catalogue.items
    vectors = {"metadata": catalogue.modalities["metadata"].vectors, "text": text}
    for name, table in vectors.items():
        present = random.random(N_ITEMS) < 0.8
        present[[3, 45]] = False
        card = EncoderCard("toy", "1", table.shape[1], "none", "none", "CC0-1.0", "none")
        catalogue = catalogue.with_modality(
            ModalityTable(name, table, present, card, items.fingerprint)
        )
    return plain.train, catalogue


def experiment(losses=EVERYTHING, **sections) -> ExperimentConfig:
    config = toy_experiment()
    for name, changes in sections.items():
        section = getattr(config, name).model_copy(update=changes)
        config = config.model_copy(update={name: section})
    return config.model_copy(update={"losses": losses})


def sharing(scheme, **changes):
    return experiment(sharing={"scheme": scheme} | changes)


@dataclass
class Case:
    """A model that has not been trained, and one batch of all users."""

    model: JointModel
    objective: JointObjective
    batch: Batch

    def losses(self, progress=0.5, batch=None) -> dict[str, torch.Tensor]:
        """Always with the same ratings held back and the same things dropped."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            return self.objective(self.model, batch or self.batch, progress)

    def gradients(self, progress=0.5, only=None) -> dict[str, torch.Tensor | None]:
        self.model.zero_grad()
        parts = self.losses(progress)
        sum(part for name, part in parts.items() if only in (None, name)).backward()
        return {name: p.grad for name, p in self.model.named_parameters()}

    def train(self, steps, batch=None) -> None:
        optimiser = make_optimiser(self.model, self.objective.config.training)
        for _ in range(steps):
            optimiser.zero_grad()
            sum(self.losses(batch=batch).values()).backward()
            optimiser.step()

    def parameters(self) -> dict[str, torch.Tensor]:
        return {name: p.detach().clone() for name, p in self.model.named_parameters()}


def case(config, *, modalities=True) -> Case:
    train, catalogue = world()
    catalogue = catalogue if modalities else replace(catalogue, modalities={})
    statistics = TrainStatistics.of(train)
    teacher = ease_weights(rated_mask(train.matrix()), config.teacher.l2)
    labelled = catalogue.genres.any(axis=1)
    targets = Targets(
        torch.tensor(teacher),
        torch.tensor(catalogue.genres).float(),
        torch.tensor(labelled).float(),
        torch.tensor(statistics.audience_mean),
        torch.tensor(statistics.counts).float(),
    )
    (batch,) = UserBatches(train, config.user, 1000).epoch(1)
    model = JointModel(catalogue, statistics, config).train()
    return Case(model, JointObjective(config, targets), batch)


def require_same(one, two):
    """Bit for bit, where both have it; a gradient of zero is no other than none."""
    for name in one.keys() & two.keys():
        a, b = one[name], two[name]
        if a is None or b is None:
            assert a is None or not a.any(), name
            assert b is None or not b.any(), name
        else:
            assert torch.equal(a, b), name


ADVERSARY = {
    f"adversaries.0.{layer}.{part}" for layer in ("hidden", "output") for part in ("weight", "bias")
}


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({"scheme": "sp"}, set()),
        ({"scheme": "asp", "adversarial": 0.0}, set()),
        ({"scheme": "asp"}, ADVERSARY),  # not reversed yet, it only watches
    ],
)
def test_with_nothing_private_everything_is_fully_shared(fusion, changes, extra):
    kind = {"kind": fusion}
    fully = case(experiment(fusion=kind, sharing={"scheme": "fs"}))
    other = case(experiment(fusion=kind, sharing={"private_dim": 0} | changes))
    assert other.parameters().keys() - fully.parameters().keys() == extra
    require_same(fully.parameters(), other.parameters())
    one, two = fully.losses(0.0), other.losses(0.0)
    assert two.keys() - one.keys() <= {"penalty/adversarial", "penalty/orthogonality"}
    require_same(one, two)
    require_same(fully.gradients(0.0), other.gradients(0.0))
    outputs, others = fully.model.export().movies.arrays(), other.model.export().movies.arrays()
    for name, array in outputs.items():
        np.testing.assert_array_equal(array, others[name])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_without_penalties_adversarial_sharing_is_shared_private(fusion):
    kind = {"kind": fusion}
    plain = case(experiment(fusion=kind, sharing={"scheme": "sp"}))
    free = {"scheme": "asp", "adversarial": 0.0, "orthogonality": 0.0}
    other = case(experiment(fusion=kind, sharing=free))
    assert plain.parameters().keys() == other.parameters().keys()
    require_same(plain.parameters(), other.parameters())
    assert plain.losses().keys() == other.losses().keys()
    require_same(plain.losses(), other.losses())
    require_same(plain.gradients(), other.gradients())
    plain.train(3)
    other.train(3)
    require_same(plain.parameters(), other.parameters())


def test_private_encoders_and_penalties_are_no_empty_words():
    found = [case(sharing(scheme)) for scheme in SCHEMES]
    losses = [sum(one.losses().values()).item() for one in found]
    assert len(set(losses)) == 3
    for one, two in ((found[0], found[1]), (found[1], found[2])):
        a, b = one.gradients(), two.gradients()
        assert not torch.equal(a["tower.learnt.shared/weight"], b["tower.learnt.shared/weight"])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_reversal_flips_the_sign_upstream_and_nothing_else(monkeypatch, fusion):
    config = experiment(fusion={"kind": fusion}, sharing={"scheme": "asp"})
    monkeypatch.setattr("recsys.recommenders.joint.sharing.reversal_strength", lambda _: 1.0)
    turned = case(config).gradients(only="penalty/adversarial")
    monkeypatch.setattr(
        "recsys.recommenders.joint.sharing.reverse_gradient", lambda x, _strength: x
    )
    plain = case(config).gradients(only="penalty/adversarial")
    reached = {name for name, gradient in plain.items() if gradient is not None}
    assert reached == {name for name, gradient in turned.items() if gradient is not None}
    upstream = reached - ADVERSARY
    assert {"tower.learnt.shared/weight", "tower.learnt.modality/text/weight"} <= upstream
    assert any("fusion/" in name for name in upstream) == (fusion not in ("sum", "concat"))
    assert not {name for name in upstream if "private/" in name or "role/" in name}
    for name in upstream:
        assert torch.equal(turned[name], -plain[name]), name
    for name in ADVERSARY:
        assert torch.equal(turned[name], plain[name]), name
        assert plain[name].any()
    assert plain["tower.learnt.shared/weight"].any()


@pytest.mark.parametrize(
    ("progress", "strength"), [(0.0, 0.0), (0.5, np.tanh(2.5)), (1.0, np.tanh(5))]
)
def test_the_ramp_scales_what_reversal_gives(monkeypatch, progress, strength):
    path = "recsys.recommenders.joint.sharing.reversal_strength"
    ramp = case(sharing("asp")).gradients(progress, only="penalty/adversarial")
    monkeypatch.setattr(path, lambda _progress: 1.0)
    constant = case(sharing("asp")).gradients(progress, only="penalty/adversarial")
    shared = "tower.learnt.shared/weight"
    torch.testing.assert_close(ramp[shared], strength * constant[shared], rtol=1e-4, atol=1e-9)
    for name in ADVERSARY:
        assert torch.equal(ramp[name], constant[name])


def own(task, names):
    """Parameters that a task alone has."""
    roles = [role for role in case(sharing("sp")).model.tower.config.heads if role.task == task]
    prefixes = [f"tower.learnt.private/{task}/"]
    prefixes += [f"tower.learnt.role/{role.name}/" for role in roles]
    exact = {f"tower.offsets.{role.name}" for role in roles}
    return {name for name in names if name in exact or name.startswith(tuple(prefixes))}


def without_weight(task) -> LossWeights:
    off = {"ranking": ("ranking", "distillation")}.get(task, (task,))
    return LossWeights(**{part: 0 if part in off else 1 for part in PARTS})


def silenced(task, how) -> Case:
    """A case of which nothing asks a task, with every penalty on and every weight decaying."""
    scheme = {"scheme": "asp", "adversarial": 0.3, "orthogonality": 0.5}
    if how == "weight":
        return case(experiment(without_weight(task), sharing=scheme))
    found = case(
        experiment(LossWeights(**dict.fromkeys(PARTS, 1) | {"distillation": 0}), sharing=scheme)
    )
    targets = found.objective.targets
    nothing = torch.zeros(N_ITEMS)
    if task == "genre":
        found.objective.targets = targets._replace(labelled=nothing)
    elif task == "audience":
        found.objective.targets = targets._replace(votes=nothing)
    else:
        found.batch = Batch(*(torch.zeros_like(tensor) for tensor in found.batch))
    return found


@pytest.mark.parametrize("how", ["weight", "examples"])
@pytest.mark.parametrize("task", TASKS)
def test_an_absent_task_leaves_its_private_encoder_untouched(task, how):
    subject = silenced(task, how)
    gradients, before = subject.gradients(), subject.parameters()
    names = own(task, before)
    assert f"tower.learnt.private/{task}/weight" in names
    assert {name for name in names if gradients[name] is not None} == set()
    training = subject.objective.config.training
    assert training.content_decay > 0
    assert training.offset_decay > 0
    subject.train(3)
    after = subject.parameters()
    assert all(torch.equal(before[name], after[name]) for name in names)
    present = next(t for t in ("genre", "audience") if t != task)
    for name in (f"tower.learnt.private/{present}/weight", "tower.learnt.shared/weight"):
        assert not torch.equal(before[name], after[name])


@pytest.mark.parametrize("task", ["ranking", "rating"])
def test_a_task_that_falls_silent_stays_where_it_was(task):
    """Momentum of earlier steps does not carry on without gradients."""
    subject = case(
        experiment(
            LossWeights(**dict.fromkeys(PARTS, 1) | {"distillation": 0}),
            sharing={"scheme": "asp", "orthogonality": 0.5},
        )
    )
    optimiser = make_optimiser(subject.model, subject.objective.config.training)
    nobody = Batch(*(torch.zeros_like(tensor) for tensor in subject.batch))
    states = [subject.parameters()]
    for batch in (subject.batch, nobody):
        optimiser.zero_grad()
        sum(subject.losses(batch=batch).values()).backward()
        optimiser.step()
        states.append(subject.parameters())
    start, spoken, silent = states
    name = f"tower.learnt.private/{task}/weight"
    assert not torch.equal(start[name], spoken[name])
    for name in own(task, start):
        assert torch.equal(spoken[name], silent[name])


@pytest.mark.parametrize("likelihood", ["gaussian", "ordinal"])
@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_loss_falls_on_an_overfitted_batch(scheme, fusion, likelihood):
    subject = case(
        experiment(
            fusion={"kind": fusion},
            sharing={"scheme": scheme},
            model={"rating_likelihood": likelihood},
            training={"content_decay": 0.0, "offset_decay": 0.0},
        )
    )
    before = subject.losses()
    subject.train(25)
    after = subject.losses()
    assert set(PARTS) <= before.keys()
    for part in PARTS:
        assert after[part] < before[part] - 0.02, part


def test_penalties_that_are_minimised_alone_fall():
    subject = case(sharing("asp"))
    for only in ("penalty/orthogonality", "penalty/adversarial"):
        optimiser = torch.optim.Adam(subject.model.parameters(), lr=0.02)
        before = subject.losses(0.0)[only].item()
        for _ in range(60):
            optimiser.zero_grad()
            subject.losses(0.0)[only].backward()  # at the start, reversal hides nothing yet
            optimiser.step()
        assert subject.losses(0.0)[only].item() < before


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_after_training_a_movie_nobody_rated_is_its_content(scheme, fusion):
    subject = case(experiment(fusion={"kind": fusion}, sharing={"scheme": scheme}))
    subject.train(5)
    tower, cold = subject.model.eval().tower, subject.model.tower.warm[:, 0] == 0
    assert cold.any()
    with torch.no_grad():
        encoded, read = tower()
        for role in tower.config.heads:
            alone = content.read(encoded, tower.weights(), role.name, role.task)
            assert torch.equal(read[role.name][cold], alone[cold])
            untouched = not role.offset or not role.dim
            assert torch.equal(read[role.name][~cold], alone[~cold]) == untouched


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fusion", FUSIONS)
def test_movies_without_any_modality_can_be_trained(fusion, scheme):
    config = experiment(fusion={"kind": fusion}, sharing={"scheme": scheme})
    subject = case(config, modalities=False)
    before = subject.losses()
    subject.train(10)
    after = subject.losses()
    for part in ("ranking", "distillation", "rating"):
        assert torch.isfinite(after[part])
        assert after[part] < before[part]
    assert np.isfinite(subject.model.export().movies.ranked).all()
