# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the tower is torch")

from recsys.models.item_tower import Dropout, ItemTower, Projection, TowerSizes, generator, linear

SIZES = TowerSizes(content=5, vectors=8, scalars=3)


@pytest.fixture
def warm(toy):
    return toy.train.item_counts() > 0


@pytest.fixture
def tower(toy, warm):
    return ItemTower(toy.catalogue.modalities, warm, SIZES, seed=1).eval()


def bare(toy):
    return np.all([~table.present for table in toy.catalogue.modalities.values()], axis=0)


def test_content_is_the_mean_of_the_projections_a_movie_has(toy, tower):
    content = tower.content().detach().numpy()
    for row in range(len(toy.catalogue)):
        projected = [
            tower.projection(name)(torch.tensor(table.vectors[[row]])).detach().numpy()[0]
            for name, table in toy.catalogue.modalities.items()
            if table.present[row]
        ]
        expected = np.tanh(np.mean(projected, axis=0)) if projected else np.zeros(SIZES.content)
        np.testing.assert_allclose(content[row], expected, atol=1e-6)


def test_a_movie_without_any_modality_is_its_offset(toy, warm, tower):
    lonely = np.flatnonzero(bare(toy) & warm)[0]
    content, vectors, _ = tower()
    assert not content[lonely].any()
    torch.testing.assert_close(vectors[lonely], tower.vector_offsets[lonely])


def test_a_movie_with_neither_ratings_nor_content_is_nothing(toy, warm, tower):
    nothing = np.flatnonzero(bare(toy) & ~warm)[0]
    assert not any(part[nothing].any() for part in tower())


def test_without_modalities_movies_are_their_offsets(warm):
    tower = ItemTower({}, warm, SIZES, seed=1)
    content, vectors, scalars = tower()
    assert not content.any()
    torch.testing.assert_close(vectors[warm], tower.vector_offsets[warm])
    assert not vectors[~warm].any()
    assert not scalars[~warm].any()


def test_the_offset_of_a_cold_movie_has_no_effect(tower, warm):
    before = tower()
    with torch.no_grad():
        tower.vector_offsets[~warm] += 100
        tower.scalar_offsets[~warm] -= 100
    for one, two in zip(before, tower(), strict=True):
        assert torch.equal(one, two)


def test_the_offset_of_a_cold_movie_gets_no_gradient(tower, warm):
    content, vectors, scalars = tower()
    (content.sum() + vectors.sum() + scalars.square().sum() + scalars.sum()).backward()
    for offsets in (tower.vector_offsets, tower.scalar_offsets):
        assert not offsets.grad[~warm].any()
        assert offsets.grad[warm].all()


def test_offsets_are_dropped_whole_movies_at_a_time_and_leave_content(tower, warm):
    torch.manual_seed(0)
    everything = tower()
    tower.train()
    content, vectors, scalars = tower(Dropout(offset=0.5))
    alone = tower.to_vectors(content), tower.to_scalars(content)
    dropped = torch.isclose(vectors, alone[0], atol=1e-6).all(dim=1)
    assert dropped[~warm].all()
    assert 0 < dropped[warm].sum() < warm.sum()
    torch.testing.assert_close(scalars[dropped], alone[1][dropped])
    torch.testing.assert_close(vectors[~dropped], everything.vectors[~dropped])


def test_a_dropped_modality_is_an_absent_one(tower, toy):
    torch.manual_seed(0)
    with torch.no_grad():
        for name in tower.names:
            tower.projection(name).absent.normal_()
    tower.train()
    nothing = tower.content(Dropout(modality=1 - 1e-9))
    told = sum(tower.projection(name).absent for name in tower.names) / len(tower.names)
    torch.testing.assert_close(nothing, torch.tanh(told).expand_as(nothing))
    tower.eval()
    assert not torch.equal(tower.content(Dropout(modality=1 - 1e-9)), nothing)


def test_features_are_dropped_in_training_alone(tower):
    torch.manual_seed(0)
    whole = tower.content()
    assert torch.equal(tower.content(Dropout(feature=0.5)), whole)
    tower.train()
    assert not torch.equal(tower.content(Dropout(feature=0.5)), whole)
    assert torch.equal(tower.content(), whole)


def test_projection_standardises_what_is_there(toy):
    for table in toy.catalogue.modalities.values():
        projection = Projection(table, content=3, seed=0)
        there = torch.from_numpy(table.vectors[table.present])
        standard = (there - projection.centre) / projection.scale
        np.testing.assert_allclose(standard.mean(dim=0), 0, atol=1e-5)
        assert standard.square().mean().item() == pytest.approx(1, abs=1e-5)
        torch.testing.assert_close(
            projection(there), standard @ projection.linear.weight.T + projection.linear.bias
        )


def test_projection_is_blind_to_shift_and_scale(toy):
    table = toy.catalogue.modalities["text"]
    moved = replace(table, vectors=table.vectors * 40 - 7)
    one, two = (Projection(t, content=3, seed=0) for t in (table, moved))
    found = (p(torch.tensor(t.vectors)) for p, t in ((one, table), (two, moved)))
    one, two = (array[torch.tensor(table.present)] for array in found)
    torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_projection_of_constant_or_absent_vectors_is_finite(toy, value):
    table = toy.catalogue.modalities["text"]
    constant = replace(table, vectors=np.full_like(table.vectors, value))
    absent = replace(table, present=np.zeros_like(table.present))
    for odd in (constant, absent):
        projected = Projection(odd, content=3, seed=0)(torch.tensor(odd.vectors))
        assert torch.isfinite(projected).all()


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


def parameters(tables, warm, seed=1):
    return dict(ItemTower(tables, warm, SIZES, seed).named_parameters())


def test_other_features_change_no_initial_weight(toy, warm):
    tables = toy.catalogue.modalities
    text = tables["text"]
    shuffled = {
        **tables,
        "text": replace(text, vectors=text.vectors[::-1], present=text.present[::-1]),
    }
    before, after = parameters(tables, warm), parameters(shuffled, warm)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_one_modality_less_changes_no_other_initial_weight(toy, warm):
    tables = toy.catalogue.modalities
    before = parameters(tables, warm)
    after = parameters({"text": tables["text"]}, warm)
    assert before.keys() - after.keys() == {
        "project.metadata.linear.weight",
        "project.metadata.linear.bias",
        "project.metadata.absent",
    }
    assert all(torch.equal(before[name], after[name]) for name in after)


def test_the_order_of_the_modalities_is_of_no_interest(toy, warm):
    tables = toy.catalogue.modalities
    backwards = dict(reversed(tables.items()))
    one, two = (ItemTower(t, warm, SIZES, seed=1) for t in (tables, backwards))
    for before, after in zip(one(), two(), strict=True):
        assert torch.equal(before, after)


def test_modalities_of_one_size_do_not_start_as_one(toy, warm):
    text = toy.catalogue.modalities["text"]
    found = parameters({"text": text, "plot": replace(text, name="plot")}, warm)
    one, two = (found[f"project.{name}.linear.weight"] for name in ("text", "plot"))
    assert one.shape == two.shape
    assert not torch.equal(one, two)


def test_another_seed_gives_other_weights(toy, warm):
    one, two = (parameters(toy.catalogue.modalities, warm, seed) for seed in (1, 2))
    drawn = [name for name in one if name.endswith(("weight", "vector_offsets"))]
    assert len(drawn) == 5
    assert not any(torch.equal(one[name], two[name]) for name in drawn)
