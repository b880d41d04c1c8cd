"""The torch model and its exported arrays are twins; its parts start from their own streams."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the joint model needs torch")

from recsys.data.files import fingerprint
from recsys.errors import DataError
from recsys.queries.query import Query, rated_mask
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.formulas import liked_weights
from recsys.recommenders.joint.losses import ordinal_loss
from recsys.recommenders.joint.network import TrainStatistics

FROM_COUNTS = {"weight"}
CONTENT_ALONE = ("genre_logits", "audience_mean", "audience_log_variance", "modality_weights")


@pytest.fixture(scope="module")
def query(toy):
    return Query.known(toy.train)


def tensor(matrix):
    return torch.from_numpy(matrix.toarray().astype(np.float32))


def test_served_scores_are_the_torch_model_s(joint, query):
    served = joint.export()
    with torch.no_grad():
        weights = liked_weights(query.histories, served.rule, served.movies.weight)
        scores = joint.rank(joint.served(), tensor(weights))
    np.testing.assert_allclose(served.score(query), scores.numpy(), atol=1e-5)


@pytest.mark.parametrize("likelihood", ["gaussian", "ordinal"])
def test_served_ratings_are_the_torch_model_s(make_joint, query, likelihood):
    joint = make_joint(model={"rating_likelihood": likelihood})
    served, histories = joint.export(), query.histories
    rows, items = (part.ravel() for part in np.indices(histories.shape))
    with torch.no_grad():
        eta, log_variance = joint.rate(
            joint.served(), tensor(histories), tensor(rated_mask(histories))
        )
    found = served.latent(query, rows, items)
    np.testing.assert_allclose(found[0], eta.numpy().ravel(), atol=1e-5)
    np.testing.assert_allclose(found[1], np.exp(log_variance.numpy().ravel() / 2), rtol=1e-5)


def test_served_levels_are_those_the_ordinal_loss_is_of(make_joint, query, toy):
    """The likelihood that was trained, of every rating, is the probability that is served."""
    joint, train = make_joint(model={"rating_likelihood": "ordinal"}), toy.train
    found = joint.export().predict_ratings(query, train.user, train.item)
    with torch.no_grad():
        eta, log_variance = joint.rate(
            joint.movies(), tensor(query.histories), tensor(rated_mask(query.histories))
        )
        pairs = torch.tensor(train.user).long(), torch.tensor(train.item).long()
        index = joint.ordinal.index(torch.tensor(train.rating))
        thresholds = joint.ordinal.thresholds()
        loss = ordinal_loss(eta[pairs], log_variance[pairs], index, thresholds).item()
    np.testing.assert_allclose(found.levels.values[index], train.rating)
    given = found.levels.probability[np.arange(len(train)), index.numpy()]
    assert -np.log(given).mean() == pytest.approx(loss, rel=1e-4)


def test_an_ordinal_likelihood_needs_levels(toy, make_joint):
    from recsys.recommenders.joint.network import JointModel

    statistics = replace(TrainStatistics.of(toy.train), levels=None)
    config = make_joint().config
    JointModel(toy.catalogue, statistics, config)
    ordinal = config.model.model_copy(update={"rating_likelihood": "ordinal"})
    with pytest.raises(DataError, match="no grid of levels") as caught:
        JointModel(toy.catalogue, statistics, config.model_copy(update={"model": ordinal}))
    assert "gaussian" in caught.value.hint


def test_served_genres_are_the_torch_model_s(joint):
    with torch.no_grad():
        logits = joint.movies().genre_logits
    np.testing.assert_allclose(
        joint.export().genre_probabilities(), torch.sigmoid(logits).numpy(), atol=1e-6
    )


def test_the_served_audience_is_the_torch_model_s(joint):
    movies, served = joint.movies(), joint.export()
    found = served.audience()
    mean = movies.audience_mean.detach().numpy()
    np.testing.assert_allclose(found.mean, mean.clip(0, 5), atol=1e-6)
    std = (movies.audience_log_variance / 2).exp().detach().numpy()
    np.testing.assert_allclose(found.std, std, rtol=1e-5)
    expected = (joint.log_vote_variance / 2).exp().item()
    assert served.rating.vote_std == pytest.approx(expected)
    assert expected != 1


def test_gates_are_shares_of_what_is_there(make_joint, toy_present, variant):
    found = make_joint(**variant).export().movies.modality_weights
    assert found.shape == toy_present.shape
    assert (found >= 0).all()
    assert not found[~toy_present].any()
    some = toy_present.any(axis=1)
    assert not some.all()
    np.testing.assert_allclose(found[some].sum(axis=1), 1, atol=1e-6)


def test_sparse_gates_leave_modalities_out(make_joint, toy_present):
    found = {}
    for kind in ("gated", "sparse"):
        model = make_joint(fusion={"kind": kind})
        with torch.no_grad():
            model.tower.learnt["fusion/gate/weight"] *= 10
        found[kind] = model.export().movies.modality_weights[toy_present.all(axis=1)]
    assert (found["gated"] > 0).all()
    assert (found["sparse"] == 0).any()
    np.testing.assert_allclose(found["sparse"].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", ["sum", "concat", "gated", "sparse"])
@pytest.mark.parametrize("scheme", ["fs", "sp", "asp"])
def test_movies_without_any_modality_are_trained_exported_and_served(
    make_joint, toy, query, kind, scheme
):
    nothing = replace(toy.catalogue, modalities={})
    model = make_joint(nothing, fusion={"kind": kind}, sharing={"scheme": scheme})
    movies = model.train().movies()
    movies.ranked.sum().backward()
    assert torch.isfinite(model.tower.offsets["ranked"].grad).all()
    served, tower = model.export(), model.export_tower()
    assert served.movies.modality_weights.shape == (len(toy.catalogue), 0)
    assert np.isfinite(served.score(query)).all()
    cold = toy.train.item_counts() == 0
    for name, array in tower.embed({}, int(cold.sum())).arrays().items():
        np.testing.assert_allclose(served.movies.arrays()[name][cold], array, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_exporting_is_looking_and_not_touching(make_joint, training):
    model = make_joint().train(training)
    before = fingerprint([p.detach().numpy().copy() for p in model.state_dict().values()])
    exported, again = model.export().movies.arrays(), model.export().movies.arrays()
    model.export_tower()
    assert model.training is training
    assert fingerprint([p.numpy() for p in model.state_dict().values()]) == before
    for name, array in exported.items():
        np.testing.assert_array_equal(array, again[name])
        assert array.dtype == np.float32


def test_what_was_exported_does_not_change_with_further_training(make_joint):
    model = make_joint()
    served, tower = model.export(), model.export_tower()
    arrays = [*served.movies.arrays().values(), *tower.weights.values()]
    before = fingerprint(arrays)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
        for buffer in model.buffers():
            buffer.add_(1)
    assert fingerprint(arrays) == before


def test_content_alone_decides_genres_audience_and_gates(make_joint, variant):
    model = make_joint(**variant)
    before = model.export().movies.arrays()
    with torch.no_grad():
        for offset in model.tower.offsets.values():
            offset.add_(1)
    after = model.export().movies.arrays()
    same = {name for name, array in before.items() if np.array_equal(array, after[name])}
    assert same == {*CONTENT_ALONE, "weight"}


def test_the_tower_is_served_as_it_is_trained(joint):
    tower = joint.export_tower()
    assert isinstance(tower, ContentTower)
    placed = {key for key in tower.weights if key.startswith("placement/")}
    assert tower.weights.keys() - placed == joint.tower.weights().keys()
    assert {key.split("/")[2] for key in placed} == set(joint.tower.offsets)
    trained = {name for name, _ in joint.tower.learnt.items()}
    assert trained <= tower.weights.keys()
    assert tower.cold_weight == 1


def test_the_last_shared_layer_is_read_by_every_task(make_joint):
    model = make_joint(sharing={"scheme": "sp"})
    for name in ("liked", "rating_in", "genre_logits", "audience_mean"):
        model.zero_grad()
        getattr(model.movies(), name).sum().backward()
        assert model.tower.learnt["shared/weight"].grad.any()


def test_genres_and_facts_are_no_input(make_joint, toy):
    before = make_joint(stirred=False).export().movies.arrays()
    other = replace(
        toy.catalogue,
        genres=~toy.catalogue.genres,
        facts={"director": [("x",)] * len(toy.catalogue)},
    )
    for name, array in make_joint(other, stirred=False).export().movies.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_statistics_are_those_of_the_training_ratings(toy):
    train, found = toy.train, TrainStatistics.of(toy.train)
    assert found.rating_mean == pytest.approx(train.rating.mean(), abs=1e-6)
    assert found.scale == train.scale
    for i, count in enumerate(found.counts):
        above = train.rating[train.item == i].astype(float) - found.rating_mean
        assert count == len(above)
        mean = above.mean() if count else 0.0
        assert abs(found.movie_bias[i]) <= abs(mean) + 1e-6
        assert found.movie_bias[i] * mean >= 0
        average = train.rating[train.item == i].mean() if count else 0.0
        assert found.audience_mean[i] == pytest.approx(average, abs=1e-5)
    assert not found.movie_bias[found.counts == 0].any()
    assert found.levels.values == tuple(np.arange(11) / 2)


def test_before_training_what_is_rated_often_ranks_high_and_what_is_rated_well_is_rated_well(
    make_joint, toy
):
    stripped = replace(toy.catalogue, modalities={})
    movies = make_joint(stripped, stirred=False).export().movies
    counts, statistics = toy.train.item_counts(), TrainStatistics.of(toy.train)
    warm = counts > 0
    by_bias, by_count = np.argsort(movies.ranked[warm, -1]), np.argsort(counts[warm])
    np.testing.assert_array_equal(counts[warm][by_bias], counts[warm][by_count])
    np.testing.assert_allclose(
        movies.rating_mean, statistics.rating_mean + statistics.movie_bias, atol=1e-6
    )


@pytest.fixture(scope="module")
def swapped(toy):
    """The catalogue with the content of the movies permuted, whole rows of all modalities."""
    source = np.roll(np.arange(len(toy.catalogue)), 1)
    catalogue = toy.catalogue
    for table in toy.catalogue.modalities.values():
        moved = replace(table, vectors=table.vectors[source], present=table.present[source])
        catalogue = catalogue.with_modality(moved)
    return catalogue, source


def test_before_training_shuffled_features_change_no_parameter(make_joint, swapped, variant):
    one, two = (
        dict(m.named_parameters())
        for m in (make_joint(**variant), make_joint(swapped[0], **variant))
    )
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_before_training_shuffled_features_change_the_content_part_and_nothing_else(
    make_joint, toy, toy_features, swapped, variant
):
    """Movie i: content of i plus offset of i. Shuffled: content of source[i] plus offset of i."""
    catalogue, source = swapped
    variant = {**variant, "placement": {"kind": "content"}}
    model = make_joint(**variant)
    before = model.export().movies.arrays()
    after = make_joint(catalogue, **variant).export().movies.arrays()
    content = model.export_tower().content(toy_features, len(toy.catalogue)).arrays()
    np.testing.assert_array_equal(after["weight"], before["weight"])
    for name in before.keys() - FROM_COUNTS:
        moved = content[name][source] - content[name]
        np.testing.assert_allclose(after[name], before[name] + moved, atol=2e-5)
        assert np.abs(moved).max() > 0.1


def test_before_training_a_cold_movie_is_whatever_its_content_is(make_joint, toy, swapped):
    catalogue, source = swapped
    before, after = (
        make_joint(c, placement={"kind": "content"}).export().movies.arrays()
        for c in (toy.catalogue, catalogue)
    )
    cold = toy.train.item_counts() == 0
    stays_cold = cold & cold[source]
    assert stays_cold.any()
    for name, array in after.items():
        np.testing.assert_allclose(array[stays_cold], before[name][source][stays_cold], atol=2e-5)


def test_users_of_a_model_without_content_are_unmoved_by_features(make_joint, toy, swapped, query):
    one, two = (
        make_joint(replace(catalogue, modalities={})).export()
        for catalogue in (toy.catalogue, swapped[0])
    )
    np.testing.assert_array_equal(one.score(query), two.score(query))


def test_a_catalogue_without_genres_is_no_obstacle(make_joint, toy):
    nameless = replace(toy.catalogue, genre_names=(), genres=np.zeros((len(toy.catalogue), 0)))
    served = make_joint(nameless).export()
    assert served.genre_probabilities().shape == (len(toy.catalogue), 0)


def test_the_penalties_of_a_scheme_are_trained_with_it(make_joint):
    names = [
        [penalty.name for penalty in make_joint(sharing=sharing).penalties]
        for sharing in (
            {"scheme": "fs"},
            {"scheme": "sp"},
            {"scheme": "asp"},
            {"scheme": "asp", "adversarial": 0.0},
            {"scheme": "asp", "orthogonality": 0.0},
        )
    ]
    both = ["adversarial", "orthogonality"]
    assert names == [[], [], both, ["orthogonality"], ["adversarial"]]
    plain, adversarial = (
        dict(make_joint(sharing={"scheme": scheme}).named_parameters()) for scheme in ("sp", "asp")
    )
    own = adversarial.keys() - plain.keys()
    assert own == {
        f"adversaries.0.{n}.{p}" for n in ("hidden", "output") for p in ("weight", "bias")
    }
