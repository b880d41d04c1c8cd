"""What a batch asks of the model, watched at the model's own methods."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import LossWeights
from recsys.models.closed_form import ease_weights
from recsys.models.histories import rated_mask
from recsys.models.joint import JointModel, TrainStatistics
from recsys.testing.joint import toy_experiment
from recsys.testing.worlds import two_genre_world
from recsys.training.batches import UserBatches
from recsys.training.objective import JointObjective

ALONE = {"ranking": 0, "distillation": 0, "rating": 0, "genre": 0}
PARTS = tuple(LossWeights.model_fields)


class Watched(JointModel):
    """Remembers what it was shown and what it answered, with the gradients of the answers."""

    def rank(self, movies, weights):
        scores = super().rank(movies, weights)
        scores.retain_grad()
        self.ranked = weights, scores
        return scores

    def rate(self, movies, ratings, rated):
        answer = super().rate(movies, ratings, rated)
        for part in answer:
            part.retain_grad()
        self.rated = ratings, rated, *answer
        return answer


@dataclass
class Setting:
    world: object
    model: Watched
    batch: object
    labelled: object

    def objective(self, **losses) -> JointObjective:
        config = toy_experiment().model_copy(update={"losses": LossWeights(**(ALONE | losses))})
        teacher = ease_weights(rated_mask(self.world.train.matrix()), config.teacher.l2)
        genres = torch.tensor(self.world.catalogue.genres, dtype=torch.float32)
        return JointObjective(config, torch.from_numpy(teacher), genres, self.labelled)


@pytest.fixture
def setting():
    world, config = two_genre_world(), toy_experiment()
    statistics = TrainStatistics.of(world.train)
    model = Watched(world.catalogue, statistics, config.model, config.user, seed=0).train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        (batch,) = UserBatches(world.train, config.user, len(world.fans))
        labelled = torch.tensor(world.catalogue.genres.any(axis=1))
        labelled[::3] = False
        yield Setting(world, model, batch, labelled)


def ask(setting, **losses):
    parts = setting.objective(**losses)(setting.model, setting.batch)
    sum(parts.values()).backward()
    return parts


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("part", ["ranking", "distillation"])
def test_a_rating_that_is_shown_is_never_a_target_of_ranking(setting, part, seed):
    torch.manual_seed(seed)
    ask(setting, **{part: 1, "rating": 1e-9})
    weights, scores = setting.model.ranked
    shown = setting.model.rated[1] > 0
    assert ((weights > 0) <= shown).all()
    assert torch.equal(weights > 0, shown & (setting.batch.weights > 0))
    assert not scores.grad[shown].any()
    hidden = (setting.batch.rated > 0) & ~shown
    assert scores.grad[hidden].any()


@pytest.mark.parametrize("seed", range(5))
def test_exactly_the_ratings_that_are_not_shown_are_targets_of_rating(setting, seed):
    torch.manual_seed(seed)
    ask(setting, rating=1)
    ratings, shown, mean, log_variance = setting.model.rated
    hidden = (setting.batch.rated > 0) & (shown == 0)
    assert torch.equal(ratings, setting.batch.ratings * shown)
    assert torch.equal(mean.grad != 0, hidden)
    assert not log_variance.grad[~hidden].any()
    assert 0 < shown.sum() < setting.batch.rated.sum()


def test_the_value_of_a_hidden_rating_reaches_no_input(setting):
    """Stars that were held back may change as they like: what is predicted for them does not."""
    objective, answers = setting.objective(ranking=1, distillation=1, rating=1), []
    torch.manual_seed(3)
    objective(setting.model, setting.batch)
    shown = setting.model.rated[1]
    likes = (setting.batch.weights > 0).float()
    for stars in (setting.batch.ratings, torch.where(shown > 0, setting.batch.ratings, likes)):
        torch.manual_seed(3)
        objective(setting.model, setting.batch._replace(ratings=stars))
        answers.append([setting.model.ranked[1], *setting.model.rated[2:]])
    for one, two in zip(*answers, strict=True):
        assert torch.equal(one, two)


def test_what_is_shown_is_new_every_time(setting):
    shown = []
    for _ in range(2):
        ask(setting, rating=1)
        shown.append(setting.model.rated[1])
    assert not torch.equal(*shown)


def test_the_teacher_sees_what_the_student_is_shown(setting):
    """A teacher that values a movie by itself alone has no opinion on what is not shown."""
    objective = setting.objective(distillation=1, rating=1e-9)
    objective.teacher = torch.eye(len(setting.labelled))
    torch.manual_seed(0)
    objective(setting.model, setting.batch)["distillation"].backward()
    shown = setting.model.rated[1] > 0
    scores = setting.model.ranked[1]
    candidates = ~shown & (setting.model.tower.warm.T > 0)
    for u in range(0, len(shown), 10):
        open_ = candidates[u]
        wanted = torch.full((int(open_.sum()),), 1 / int(open_.sum()))
        student = torch.softmax(scores[u, open_] / objective.config.teacher.temperature, dim=0)
        pull = torch.sign(student - wanted)
        assert torch.equal(torch.sign(scores.grad[u, open_]), pull)


@pytest.mark.parametrize("part", ["ranking", "distillation"])
def test_movies_nobody_rated_are_not_pushed_down(setting, part):
    ask(setting, **{part: 1})
    cold = torch.from_numpy(setting.world.train.item_counts() == 0)
    assert cold.any()
    assert not setting.model.ranked[1].grad[:, cold].any()


def test_offsets_of_movies_nobody_rated_learn_nothing(setting):
    ask(setting, **dict.fromkeys(PARTS, 1))
    cold = torch.from_numpy(setting.world.train.item_counts() == 0)
    tower = setting.model.tower
    assert not tower.vector_offsets.grad[cold].any()
    assert not tower.scalar_offsets.grad[cold].any()
    assert tower.vector_offsets.grad[~cold].any()


@pytest.mark.parametrize("off", PARTS)
def test_a_task_of_weight_zero_is_absent(setting, off):
    parts = ask(setting, **{name: 1 for name in PARTS if name != off})
    assert parts.keys() == set(PARTS) - {off}


@pytest.mark.parametrize("only", PARTS)
def test_a_task_alone_is_alone(setting, only):
    assert ask(setting, **{only: 1}).keys() == {only}
    model = setting.model
    touched = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert any(name.startswith("genre_head") for name in touched) == (only == "genre")
    assert ("user_noise" in touched) == (only == "rating")
    assert ("tower.vector_offsets" in touched) == (only != "genre")
    assert "tower.project.metadata.linear.weight" in touched


@pytest.mark.parametrize("part", PARTS)
def test_a_weight_multiplies_its_part(setting, part):
    found = []
    for weight in (1, 4):
        torch.manual_seed(0)
        found.append(setting.objective(**{part: weight})(setting.model, setting.batch)[part].item())
    assert found[1] == pytest.approx(4 * found[0], rel=1e-5)
    assert found[0] > 0 or part == "rating"


def test_only_movies_of_the_training_labels_teach_genres(setting):
    objective = setting.objective(genre=1)
    torch.manual_seed(0)
    before = objective(setting.model, setting.batch)["genre"]
    objective.genres[~setting.labelled] = 1 - objective.genres[~setting.labelled]
    torch.manual_seed(0)
    assert torch.equal(objective(setting.model, setting.batch)["genre"], before)


def test_a_part_without_examples_is_left_out(setting):
    nobody = torch.zeros_like(setting.labelled)
    objective = setting.objective(rating=1, genre=1)
    objective.labelled = nobody
    empty = setting.batch._replace(rated=torch.zeros_like(setting.batch.rated))
    assert objective(setting.model, empty) == {}


def test_gradients_are_finite_for_every_task_together(setting):
    ask(setting, **dict.fromkeys(PARTS, 1))
    for parameter in setting.model.parameters():
        assert torch.isfinite(parameter.grad).all()
    assert np.isfinite(setting.world.train.rating).all()
