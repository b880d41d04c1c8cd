# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the tower is torch")

from recsys.config.experiment import FusionConfig, ModelConfig, SharingConfig
from recsys.recommenders.joint import content
from recsys.recommenders.joint.content import TASKS, embedding_heads
from recsys.recommenders.joint.item_tower import Dropout, ItemTower, TowerConfig
from recsys.recommenders.joint.weights import generator, linear

READ = embedding_heads(ModelConfig(ranking_dim=6, rating_dim=3), n_genres=3)
OFFSET = [role.name for role in READ if role.offset]
CONTENT_ALONE = [role.name for role in READ if not role.offset]


def config(seed=1, scheme="sp", kind="sum") -> TowerConfig:
    sharing = SharingConfig(scheme=scheme, shared_dim=4, private_dim=3)
    return TowerConfig(FusionConfig(kind=kind, dim=5), sharing, READ, seed)


@pytest.fixture
def warm(toy):
    return toy.train.item_counts() > 0


@pytest.fixture
def tower(toy, warm):
    return ItemTower(toy.catalogue.modalities, warm, config()).eval()


@pytest.fixture
def stirred(tower):
    """Biases, absences and single-number offsets start at zero; here they do not."""
    random = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=random))
    return tower


def bare(toy):
    return np.all([~table.present for table in toy.catalogue.modalities.values()], axis=0)


def everything(embedding) -> dict[str, torch.Tensor]:
    encoded = embedding.encoded
    private = {f"private/{task}": tensor for task, tensor in encoded.private.items()}
    return (
        {"shared": encoded.shared, "weights": encoded.modality_weights}
        | private
        | (embedding.heads)
    )


def test_every_role_is_read_of_its_own_task(stirred):
    encoded, read = stirred()
    weights = stirred.weights()
    for role in READ:
        own = torch.cat([encoded.shared, encoded.private[role.task]], dim=1)
        expected = own @ weights[f"role/{role.name}/weight"].T
        if role.offset:
            expected = expected + stirred.warm * stirred.offsets[role.name]
        else:
            expected = expected + weights[f"role/{role.name}/bias"]
        torch.testing.assert_close(read[role.name], expected)
        assert read[role.name].shape == (len(stirred.warm), role.dim)


def test_a_code_is_of_what_is_there_and_zero_elsewhere(toy, stirred):
    weights = stirred.weights()
    for name, table in toy.catalogue.modalities.items():
        codes = stirred.code(name)
        standard = content.standardise(torch.tensor(table.vectors), weights, name)
        present = torch.tensor(table.present)
        expected = torch.tanh(
            standard @ weights[f"modality/{name}/weight"].T + weights[f"modality/{name}/bias"]
        )
        torch.testing.assert_close(codes[present], expected[present])
        assert not codes[~present].any()
        assert torch.equal(stirred.present(name), present)
        some = torch.tensor([3, 0, 0])
        assert torch.equal(stirred.code(name, some), codes[some])


def test_what_the_code_parameters_are_is_all_that_a_code_depends_on(stirred):
    before = {name: stirred.code(name) for name in stirred.names}
    with torch.no_grad():
        for parameter in stirred.code_parameters("text"):
            parameter.add_(1)
    assert not torch.equal(stirred.code("text"), before["text"])
    assert torch.equal(stirred.code("metadata"), before["metadata"])
    stirred.code("text").sum().backward()
    reached = {id(p) for p in stirred.parameters() if p.grad is not None}
    assert reached == {id(p) for p in stirred.code_parameters("text")}


@pytest.mark.parametrize("kind", ["sum", "concat", "gated", "sparse"])
def test_without_modalities_movies_are_their_offsets(warm, kind):
    tower = ItemTower({}, warm, config(kind=kind))
    encoded, read = tower()
    assert encoded.modality_weights.shape == (len(warm), 0)
    for role in READ:
        assert torch.isfinite(read[role.name]).all()
        if role.offset:
            torch.testing.assert_close(read[role.name][warm], tower.offsets[role.name][warm])
        assert not read[role.name][~warm].any()
    sum(part.sum() for part in read.values()).backward()


def test_a_movie_with_neither_ratings_nor_content_is_nothing(toy, warm, tower):
    nothing = np.flatnonzero(bare(toy) & ~warm)[0]
    embedding = tower()
    assert not any(part[nothing].any() for part in everything(embedding).values())


def test_the_offset_of_a_cold_movie_has_no_effect(stirred, warm):
    before = everything(stirred())
    with torch.no_grad():
        for offset in stirred.offsets.values():
            offset[~warm] += 100
    after = everything(stirred())
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_offset_of_a_cold_movie_gets_no_gradient(stirred, warm):
    sum(part.square().sum() for part in stirred().heads.values()).backward()
    assert stirred.offsets.keys() == set(OFFSET)
    for offset in stirred.offsets.values():
        assert not offset.grad[~warm].any()
        assert offset.grad[warm].all()


def test_content_readings_and_encodings_know_no_offset(stirred):
    before = everything(stirred())
    with torch.no_grad():
        for offset in stirred.offsets.values():
            offset.add_(1)
    after = everything(stirred())
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == set(OFFSET)
    assert set(CONTENT_ALONE) == {"genre_logits", "audience_mean", "audience_log_variance"}


def test_offsets_are_dropped_whole_movies_at_a_time_and_leave_content(stirred, warm):
    torch.manual_seed(0)
    whole = stirred()
    stirred.train()
    encoded, read = stirred(Dropout(offset=0.5))
    assert torch.equal(encoded.shared, whole.encoded.shared)
    weights = stirred.weights()
    dropped = None
    for role in READ:
        alone = content.read(encoded, weights, role.name, role.task)
        if not role.offset:
            assert torch.equal(read[role.name], whole.heads[role.name])
            continue
        same = (read[role.name] == alone).all(dim=1)
        dropped = same if dropped is None else dropped
        assert torch.equal(same, dropped)
        torch.testing.assert_close(read[role.name][~dropped], whole.heads[role.name][~dropped])
    assert dropped[~warm].all()
    assert 0 < dropped[warm].sum() < warm.sum()


def test_a_dropped_modality_is_an_absent_one(stirred, toy, warm):
    none = {
        name: replace(table, present=np.zeros_like(table.present))
        for name, table in toy.catalogue.modalities.items()
    }
    without = ItemTower(none, warm, config()).eval()
    with torch.no_grad():
        for name, parameter in stirred.named_parameters():
            without.get_parameter(name).copy_(parameter)
    torch.manual_seed(0)
    whole = stirred.encode()
    stirred.train()
    encoded = stirred.encode(Dropout(modality=1 - 1e-9))
    torch.testing.assert_close(encoded.shared, without.encode().shared)
    assert not encoded.modality_weights.any()
    stirred.eval()
    assert torch.equal(stirred.encode(Dropout(modality=1 - 1e-9)).shared, whole.shared)


def test_modalities_are_dropped_for_each_movie_on_its_own(stirred, toy_present):
    torch.manual_seed(0)
    stirred.train()
    kept = (stirred.encode(Dropout(modality=0.5)).modality_weights > 0).numpy()
    assert (kept <= toy_present).all()
    both = kept[toy_present.all(axis=1)]
    assert len(np.unique(both, axis=0)) > 2


def test_features_are_dropped_in_training_alone(stirred):
    torch.manual_seed(0)
    whole = stirred.encode().shared
    assert torch.equal(stirred.encode(Dropout(feature=0.5)).shared, whole)
    stirred.train()
    assert not torch.equal(stirred.encode(Dropout(feature=0.5)).shared, whole)
    assert torch.equal(stirred.encode().shared, whole)


def test_features_are_standardised_by_what_is_there(toy, tower):
    for name, table in toy.catalogue.modalities.items():
        there = torch.from_numpy(table.vectors[table.present])
        standard = content.standardise(there, tower.weights(), name)
        np.testing.assert_allclose(standard.mean(dim=0), 0, atol=1e-5)
        assert standard.square().mean().item() == pytest.approx(1, abs=1e-5)


def test_codes_are_blind_to_shift_and_scale(toy, warm):
    text = toy.catalogue.modalities["text"]
    moved = replace(text, vectors=text.vectors * 40 - 7)
    one, two = (ItemTower({"text": t}, warm, config()).code("text") for t in (text, moved))
    torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_or_absent_vectors_are_no_obstacle(toy, warm, value):
    text = toy.catalogue.modalities["text"]
    constant = replace(text, vectors=np.full_like(text.vectors, value))
    absent = replace(text, present=np.zeros_like(text.present))
    for odd in (constant, absent):
        tower = ItemTower({"text": odd}, warm, config(kind="sparse"))
        embedding = tower(Dropout(0.2, 0.2, 0.2))
        assert all(torch.isfinite(part).all() for part in everything(embedding).values())
        assert not tower.code("text").any()


def test_linear_layers_come_from_their_own_stream():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = linear(4, 3, rng=generator(0, "a"))
    torch.manual_seed(2)
    same, other = linear(4, 3, rng=generator(0, "a")), linear(4, 3, rng=generator(0, "b"))
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)
    assert one.weight.abs().max() <= 0.5
    assert not one.bias.any()
    torch.manual_seed(1)
    linear(4, 3, rng=generator(0, "a"))
    assert torch.equal(torch.get_rng_state(), before)


def parameters(tables, warm, **options):
    return dict(ItemTower(tables, warm, config(**options)).named_parameters())


def test_building_a_tower_draws_from_no_global_stream(toy, warm):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    parameters(toy.catalogue.modalities, warm)
    assert torch.equal(torch.get_rng_state(), before)


def unequal(one, two):
    """Names of the parameters that differ, those that only one has included."""
    same = {n for n in one.keys() & two.keys() if torch.equal(one[n], two[n])}
    return (one.keys() | two.keys()) - same


@pytest.mark.parametrize("kind", ["sum", "concat", "gated", "sparse"])
def test_other_features_of_a_modality_change_no_other_initial_weight(toy, warm, kind):
    tables = toy.catalogue.modalities
    text = tables["text"]
    moved = replace(text, vectors=text.vectors[::-1], present=text.present[::-1])
    before = parameters(tables, warm, kind=kind)
    assert not unequal(before, parameters(tables | {"text": moved}, warm, kind=kind))
    card = replace(text.card, dim=2)
    shorter = replace(text, vectors=text.vectors[:, :2], card=card)
    after = parameters(tables | {"text": shorter}, warm, kind=kind)
    assert unequal(before, after) == {"learnt.modality/text/weight"}


def test_one_modality_less_changes_no_other_initial_weight(toy, warm):
    tables = toy.catalogue.modalities
    before, after = parameters(tables, warm), parameters({"text": tables["text"]}, warm)
    gone = {f"learnt.modality/metadata/{part}" for part in ("weight", "bias", "absent")}
    assert unequal(before, after) == gone


def test_private_encoders_change_nothing_but_what_reads_them(toy, warm):
    tables = toy.catalogue.modalities
    before, after = (parameters(tables, warm, scheme=scheme) for scheme in ("fs", "sp"))
    own = {f"learnt.private/{task}/{part}" for task in TASKS for part in ("weight", "bias")}
    readers = {f"learnt.role/{role.name}/weight" for role in READ}
    assert unequal(before, after) == own | readers
    assert not unequal(after, parameters(tables, warm, scheme="asp"))


def test_tasks_do_not_start_as_one(toy, warm):
    found = parameters(toy.catalogue.modalities, warm)
    private = [found[f"learnt.private/{task}/weight"] for task in TASKS]
    assert len({tuple(weight.flatten().tolist()) for weight in private}) == len(TASKS)


def test_the_order_of_the_modalities_is_of_no_interest(toy, warm):
    tables = toy.catalogue.modalities
    for kind in ("sum", "concat", "gated", "sparse"):
        backwards = dict(reversed(tables.items()))
        one, two = (
            everything(ItemTower(t, warm, config(kind=kind))()) for t in (tables, backwards)
        )
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_modalities_of_one_size_do_not_start_as_one(toy, warm):
    text = toy.catalogue.modalities["text"]
    found = parameters({"text": text, "plot": replace(text, name="plot")}, warm)
    one, two = (found[f"learnt.modality/{name}/weight"] for name in ("text", "plot"))
    assert one.shape == two.shape
    assert not torch.equal(one, two)


def test_another_seed_gives_other_weights(toy, warm):
    tables = toy.catalogue.modalities
    one, two = (parameters(tables, warm, seed=s, kind="gated") for s in (1, 2))
    zero = {name for name, parameter in one.items() if not parameter.any()}
    assert unequal(one, two) == one.keys() - zero
    matrices = {name for name, parameter in one.items() if parameter.shape[-1] > 1}
    assert not {name for name in zero & matrices if name.endswith("weight")}
