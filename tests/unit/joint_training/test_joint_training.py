"""The whole of training on a toy world: what it depends on, and what it leaves alone."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.testing.worlds import data_of

torch = pytest.importorskip("torch", reason="training needs torch")

from support.joint import toy_experiment, toy_joint

from recsys.config.experiment import LossWeights, TeacherConfig
from recsys.data.interactions import Interactions
from recsys.data.splits import TrainingData, genre_partition
from recsys.errors import DataError, NotFittedError, RecsysError
from recsys.evaluation.evaluate import Evaluator
from recsys.queries.query import Query
from recsys.recommenders.joint.network import JointModel, TrainStatistics
from recsys.recommenders.joint.recommender import JointRecommender
from recsys.recommenders.joint.training.log import RunOptions
from recsys.testing.contract import fit, interactions_state
from recsys.testing.worlds import shuffled_features_world, two_genre_world

SHORT = {"epochs": 4, "evaluate_every": 2}
PARTS = tuple(LossWeights.model_fields)


def losses(**changes) -> LossWeights:
    return LossWeights(**(dict.fromkeys(PARTS, 1) | changes))


@pytest.fixture(scope="module")
def world():
    return two_genre_world()


def short(**changes):
    return toy_experiment(**SHORT).model_copy(update=changes)


def untrained(world, config) -> JointModel:
    return JointModel(world.catalogue, TrainStatistics.of(world.train), config)


def arrays(recommender) -> dict[str, np.ndarray]:
    """Everything that was trained."""
    found = {**recommender.model.movies.arrays(), **recommender.tower.weights}
    constants = recommender.model.rating
    return found | {
        "constants": np.array([*vars(constants.shrinkage).values(), constants.user_noise])
    }


def equal(one, other) -> bool:
    a, b = arrays(one), arrays(other)
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


@pytest.fixture(scope="module")
def trained(world):
    return fit(toy_joint(short()), world)


def test_the_same_seed_gives_the_same_bits(world, trained):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        again = fit(toy_joint(short()), world)
    assert equal(again, trained)
    assert again.log.records == trained.log.records


def test_another_seed_gives_other_weights(world, trained):
    other = arrays(fit(toy_joint(short(seed=1)), world))
    same = {
        name
        for name, array in arrays(trained).items()
        if array.size and np.array_equal(array, other[name])
    }
    # What comes from the data alone, and is not trained; a sum weighs its only modality with 1.
    standard = {"modality/metadata/centre", "modality/metadata/scale"}
    assert same == {"weight", "modality_weights"} | standard


def test_fitting_again_starts_again(world, trained):
    subject = toy_joint(short())
    fit(subject, two_genre_world(1))
    fit(subject, world)
    assert equal(subject, trained)
    assert subject.log.records == trained.log.records


def test_torch_is_left_as_it_was(world):
    before = torch.get_rng_state(), torch.get_num_threads()
    fit(toy_joint(short()), world)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    assert not torch.are_deterministic_algorithms_enabled()


def test_numpy_s_global_stream_is_neither_read_nor_moved(world, trained):
    np.random.seed(7)  # noqa: NPY002 - the global stream is what is watched
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert equal(fit(toy_joint(short()), world), trained)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_torch_is_left_as_it_was_when_training_fails(world):
    before = torch.get_rng_state(), torch.get_num_threads()
    config = toy_experiment(**SHORT, monitor={"nonsense": 1})
    with pytest.raises(RecsysError, match="nonsense"):
        fit(toy_joint(config), world)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    assert not torch.are_deterministic_algorithms_enabled()


def test_every_loss_part_falls_on_a_batch_that_can_be_learnt_by_heart(world):
    few = world.train.select(world.train.user < 8)
    config = toy_experiment(epochs=60, evaluate_every=60, batch_size=8, feature_dropout=0)
    subject = toy_joint(config.model_copy(update={"losses": losses()}))
    subject.fit(data_of(few, world.valid, world.catalogue))
    for part in PARTS:
        found = [record[f"loss/{part}"] for record in subject.log.records]
        start, end = np.mean(found[:5]), np.mean(found[-5:])
        assert end < start - 0.05 * abs(start), f"{part} went from {start:.3f} to {end:.3f}"


def test_one_record_an_epoch(world, tmp_path):
    path = tmp_path / "log.jsonl"
    subject = fit(toy_joint(short(), RunOptions(log_path=path)), world)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == subject.log.records
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    measured = {key for key in lines[1] if key.startswith("valid/")}
    assert {"valid/ndcg@10", "valid/rmse", "valid/macro_f1"} <= measured
    assert measured & lines[0].keys() == set()


@pytest.fixture
def validation(monkeypatch):
    """Puts another validation in the place of that on the valid part."""

    def exchange(made):
        monkeypatch.setattr("recsys.recommenders.joint.training.fitting._validation", made)

    return exchange


def indifferent(*_):
    """A validation that finds everything equal."""
    return lambda _: {"ndcg@10": 0.0, "rmse": 0.0}


def test_what_is_exported_is_what_validated_best(world, validation):
    config = toy_experiment(epochs=6, evaluate_every=1, patience=100)
    seen, scores = [], iter([0.1, 0.9, 0.3, 0.2, 0.5, 0.4])

    def validate(model):
        seen.append(model)
        return {"ndcg@10": next(scores), "rmse": 0.0}

    validation(lambda *_: validate)
    subject = fit(JointRecommender(config), world)
    assert (len(seen), subject.log.best_epoch) == (6, 2)
    for name, array in seen[1].movies.arrays().items():
        np.testing.assert_array_equal(array, subject.model.movies.arrays()[name])
    assert not np.array_equal(seen[5].movies.liked, seen[1].movies.liked)


def test_validation_is_given_what_fit_got_which_has_no_test(world, validation):
    given = []

    def remember(data, config):
        given.append((data, config))
        return indifferent()

    validation(remember)
    subject = JointRecommender(short())
    subject.fit(world.split)
    [(data, config)] = given
    assert isinstance(data, TrainingData)
    assert (data.train, data.valid, data.catalogue) == (world.train, world.valid, world.catalogue)
    assert not data.labels.test.any()
    assert config is subject.config


def test_valid_ratings_choose_and_do_not_teach(world, validation):
    """With validation that finds everything equal, other valid ratings change no weight."""
    validation(indifferent)
    other = replace(world.valid, rating=6 - world.valid.rating)
    one, two = (
        JointRecommender(short()).fit(data_of(world.train, valid, world.catalogue))
        for valid in (world.valid, other)
    )
    assert equal(one, two)


@pytest.mark.parametrize("off", PARTS)
def test_a_task_of_weight_zero_is_in_no_record(world, off):
    subject = fit(toy_joint(short(losses=losses(**{off: 0}))), world)
    recorded = {key for record in subject.log.records for key in record if key.startswith("loss/")}
    assert recorded == {f"loss/{name}" for name in PARTS if name != off}


def test_without_the_genre_task_its_head_stays_where_it_started(world):
    config = short(losses=losses(genre=0))
    start = untrained(world, config).export_tower().weights
    found = fit(toy_joint(config), world).tower.weights
    for name in ("role/genre_logits/weight", "role/genre_logits/bias"):
        np.testing.assert_array_equal(found[name], start[name])
    for name in ("shared/weight", "role/liked/weight"):
        assert not np.array_equal(found[name], start[name])


def test_without_distillation_the_teacher_is_of_no_interest(world):
    alone = losses(distillation=0)
    one, two = (
        fit(toy_joint(short(losses=alone, teacher=TeacherConfig(l2=l2))), world) for l2 in (1, 900)
    )
    assert equal(one, two)


def test_genres_of_movies_held_out_teach_nothing(world, validation):
    """Labels of validation and test movies may be any others: the same weights are learnt."""
    validation(indifferent)
    labels = genre_partition(world.catalogue, short().seed)
    held_out = labels.valid | labels.test
    assert held_out.any()
    genres = np.where(held_out[:, None], world.catalogue.genres[:, ::-1], world.catalogue.genres)
    assert not np.array_equal(genres, world.catalogue.genres)
    one, two = (
        JointRecommender(short()).fit(data_of(world.train, world.valid, catalogue))
        for catalogue in (world.catalogue, replace(world.catalogue, genres=genres))
    )
    assert equal(one, two)


def test_without_modalities_shuffled_features_change_nothing_at_all(world):
    """Facts, titles and years are no input either: content is modalities and nothing else."""
    bare, shuffled = (
        replace(w, catalogue=replace(w.catalogue, modalities={}))
        for w in (world, shuffled_features_world())
    )
    renamed = replace(
        shuffled.catalogue,
        titles=shuffled.catalogue.titles[::-1],
        years=shuffled.catalogue.years + 9,
    )
    assert shuffled.catalogue.facts != bare.catalogue.facts
    one, two = (fit(toy_joint(short()), w) for w in (bare, replace(shuffled, catalogue=renamed)))
    assert equal(one, two)


def test_cold_movies_without_content_are_all_alike(world):
    bare = replace(world, catalogue=replace(world.catalogue, modalities={}))
    movies = fit(toy_joint(short()), bare).model.movies
    for array in movies.arrays().values():
        cold = array[world.cold]
        np.testing.assert_array_equal(cold, np.broadcast_to(cold[0], cold.shape))


def test_half_stars_and_a_zero_scale_are_trained_on(world):
    from recsys.data.interactions import RatingScale

    def halved(part: Interactions) -> Interactions:
        return replace(part, rating=(part.rating - 1) * 1.25, scale=RatingScale(0, 5))

    config = short(user=short().user.model_copy(update={"liked_min_rating": 3.5}))
    parts = [halved(part) for part in (world.train, world.valid)]
    assert (parts[0].rating == 0).any()
    subject = toy_joint(config).fit(data_of(*parts, world.catalogue))
    rows, items = (grid.ravel() for grid in np.indices(world.train.shape))
    found = subject.predict_ratings(Query.known(parts[0]), rows, items)
    assert np.isfinite(found.mean).all()
    assert found.mean.min() >= 0
    assert found.mean.max() <= 5


def test_nothing_given_is_altered(world):
    before = [interactions_state(part) for part in (world.train, world.valid)]
    table = world.catalogue.modalities["metadata"]
    vectors, genres = table.vectors.copy(), world.catalogue.genres.copy()
    fit(toy_joint(short()), world)
    assert [interactions_state(part) for part in (world.train, world.valid)] == before
    np.testing.assert_array_equal(table.vectors, vectors)
    np.testing.assert_array_equal(world.catalogue.genres, genres)


def test_the_parameters_are_counted(world, trained):
    model = untrained(world, short())
    assert trained.parameters == sum(p.numel() for p in model.parameters())


def test_nothing_to_train_on_is_refused(world):
    empty = world.train.select(np.arange(0))
    _, once = np.unique(world.train.user, return_index=True)
    for train in (empty, world.train.select(once)):
        with pytest.raises(DataError, match="no user has two ratings"):
            toy_joint(short()).fit(data_of(train, world.valid, world.catalogue))


def test_asking_before_training_is_an_error():
    for ask in (lambda r: r.model, lambda r: r.tower, lambda r: r.parameters):
        with pytest.raises(NotFittedError, match="call fit first"):
            ask(toy_joint())


def test_the_test_part_never_reaches_training(world):
    """Trained on a split with other test ratings, and with none: the same bits."""
    others = replace(world.test, rating=6 - world.test.rating)
    found = [
        JointRecommender(short()).fit(replace(world.split, test=test))
        for test in (world.test, others, world.test.select(np.arange(0)))
    ]
    assert equal(found[0], found[1])
    assert equal(found[0], found[2])


def metrics_on_valid(model, world) -> dict[str, float]:
    evaluator = Evaluator.on_valid(world.data)
    genre = evaluator.genre(model.genre_probabilities()).summary()
    return evaluator.ranking(model).means() | evaluator.rating(model).summary() | genre


def test_training_chooses_by_the_evaluation_of_valid(world):
    subject = fit(toy_joint(toy_experiment(**SHORT, calibrate=False)), world)
    assert metrics_on_valid(subject, world) == subject.log.best_metrics


def test_calibration_comes_after_the_choice_and_corrects_stars_alone(world, trained):
    """The log has the metrics that chose, so they are those of the model before the correction."""
    raw = fit(toy_joint(toy_experiment(**SHORT, calibrate=False)), world)
    assert raw.log.records == trained.log.records
    for name, array in raw.model.movies.arrays().items():
        np.testing.assert_array_equal(array, trained.model.movies.arrays()[name])
    before, after = (metrics_on_valid(model, world) for model in (raw, trained))
    of_stars = {"rmse", "mae", "nll", "level_nll"}
    changed = {name for name, value in before.items() if after[name] != value}
    assert {"level_nll"} < changed
    assert {n for n in changed if not n.startswith(("pit_", "coverage_"))} <= of_stars
    assert after["level_nll"] <= before["level_nll"]


def test_validation_ratings_off_the_levels_are_refused_before_training() -> None:
    world = two_genre_world()
    odd = replace(world.valid, rating=np.full_like(world.valid.rating, 2.25))
    model = toy_joint()
    with pytest.raises(DataError, match="none of the levels"):
        model.fit(data_of(world.train, odd, world.catalogue))
    assert not model.log.records
