"""What a batch asks of the model, watched at the model's own methods."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from support.joint import toy_experiment

from recsys.config.experiment import LossWeights
from recsys.queries.query import rated_mask
from recsys.recommenders.closed_form.ease import ease_weights
from recsys.recommenders.joint.network import JointModel, TrainStatistics
from recsys.recommenders.joint.training.objective import (
    Batch,
    JointObjective,
    Targets,
    UserBatches,
)
from recsys.testing.worlds import two_genre_world

PARTS = tuple(LossWeights.model_fields)
ALONE = dict.fromkeys(PARTS, 0)
TASK_OF = {"ranking": "ranking", "distillation": "ranking"}
"""Parts whose task has another name."""


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
    batch: Batch
    targets: Targets

    def objective(self, **losses) -> JointObjective:
        config = self.model.config.model_copy(update={"losses": LossWeights(**(ALONE | losses))})
        return JointObjective(config, self.targets)


@pytest.fixture
def setting():
    yield from made()


@pytest.fixture
def shared_private():
    """The same, with everything that sharing penalises."""
    yield from made(sharing={"scheme": "asp", "adversarial": 0.3, "orthogonality": 0.2})


def made(**sections):
    config = toy_experiment()
    for name, changes in sections.items():
        section = getattr(config, name).model_copy(update=changes)
        config = config.model_copy(update={name: section})
    world = two_genre_world()
    statistics = TrainStatistics.of(world.train)
    labelled = torch.tensor(world.catalogue.genres.any(axis=1)).float()
    labelled[::3] = 0
    targets = Targets(
        torch.tensor(ease_weights(rated_mask(world.train.matrix()), config.teacher.l2)),
        torch.tensor(world.catalogue.genres).float(),
        labelled,
        torch.tensor(statistics.audience_mean),
        torch.tensor(statistics.counts).float(),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        (batch,) = UserBatches(world.train, config.user, len(world.fans)).epoch(0)
        model = Watched(world.catalogue, statistics, config).train()
        yield Setting(world, model, batch, targets)


def ask(setting, progress=0.5, **losses):
    parts = setting.objective(**losses)(setting.model, setting.batch, progress)
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
    objective(setting.model, setting.batch, 0.5)
    shown = setting.model.rated[1]
    likes = (setting.batch.weights > 0).float()
    for stars in (setting.batch.ratings, torch.where(shown > 0, setting.batch.ratings, likes)):
        torch.manual_seed(3)
        objective(setting.model, setting.batch._replace(ratings=stars), 0.5)
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
    eye = torch.eye(len(setting.world.genre))
    objective.targets = objective.targets._replace(teacher=eye)
    torch.manual_seed(0)
    objective(setting.model, setting.batch, 0.5)["distillation"].backward()
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
    for offset in setting.model.tower.offsets.values():
        if offset.numel():
            assert not offset.grad[cold].any()
            assert offset.grad[~cold].any()


@pytest.mark.parametrize("off", PARTS)
def test_a_task_of_weight_zero_is_absent(setting, off):
    parts = ask(setting, **{name: 1 for name in PARTS if name != off})
    assert parts.keys() == set(PARTS) - {off}


@pytest.mark.parametrize("only", PARTS)
def test_a_task_alone_is_alone(setting, only):
    assert ask(setting, **{only: 1}).keys() == {only}
    model = setting.model
    touched = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    for role in model.tower.config.heads:
        own = role.task == TASK_OF.get(only, only)
        assert (f"tower.learnt.role/{role.name}/weight" in touched) == own
        assert (f"tower.offsets.{role.name}" in touched) == (own and role.offset)
    assert ("user_noise" in touched) == (only == "rating")
    assert ("log_vote_variance" in touched) == (only == "audience")
    assert {"tower.learnt.modality/metadata/weight", "tower.learnt.shared/weight"} <= touched


@pytest.mark.parametrize("part", PARTS)
def test_a_weight_multiplies_its_part(setting, part):
    found = []
    for weight in (1, 4):
        torch.manual_seed(0)
        found.append(
            setting.objective(**{part: weight})(setting.model, setting.batch, 0)[part].item()
        )
    assert found[1] == pytest.approx(4 * found[0], rel=1e-5)
    assert found[0] > 0 or part == "rating"


def seeded(objective, setting, batch=None, progress=0.5):
    torch.manual_seed(0)
    return objective(setting.model, setting.batch if batch is None else batch, progress)


def test_only_movies_of_the_training_labels_teach_genres(setting):
    objective, targets = setting.objective(genre=1), setting.targets
    before = seeded(objective, setting)["genre"]
    unlabelled = targets.labelled == 0
    genres = torch.where(unlabelled[:, None], 1 - targets.genres, targets.genres)
    objective.targets = targets._replace(genres=genres)
    assert torch.equal(seeded(objective, setting)["genre"], before)
    objective.targets = targets._replace(genres=1 - targets.genres)
    assert not torch.equal(seeded(objective, setting)["genre"], before)


def test_only_movies_with_votes_teach_what_an_audience_thinks(setting):
    objective, targets = setting.objective(audience=1), setting.targets
    before = seeded(objective, setting)["audience"]
    silent = targets.votes == 0
    assert silent.any()
    average = torch.where(silent, 9.0, targets.average)
    objective.targets = targets._replace(average=average)
    assert torch.equal(seeded(objective, setting)["audience"], before)
    objective.targets = targets._replace(average=targets.average + 1)
    assert not torch.equal(seeded(objective, setting)["audience"], before)


def unrated(batch, users=slice(None)):
    """The batch with histories of some users empty."""
    emptied = [tensor.clone() for tensor in batch]
    for tensor in emptied:
        tensor[users] = 0
    return Batch(*emptied)


def without_examples(setting, task):
    """A targets and a batch that ask nothing of a task."""
    targets, batch = setting.targets, setting.batch
    if task == "genre":
        return targets._replace(labelled=torch.zeros_like(targets.labelled)), batch
    if task == "audience":
        return targets._replace(votes=torch.zeros_like(targets.votes)), batch
    return targets, unrated(batch)


@pytest.mark.parametrize("part", ["ranking", "rating", "genre", "audience"])
def test_a_part_without_examples_is_left_out(setting, part):
    objective = setting.objective(**{part: 1})
    objective.targets, batch = without_examples(setting, part)
    assert seeded(objective, setting, batch) == {}


def test_a_batch_that_asks_nothing_has_no_part_and_no_penalty(shared_private):
    setting = shared_private
    objective = setting.objective(ranking=1, rating=1, genre=1, audience=1)
    nothing = torch.zeros_like(setting.targets.labelled)
    objective.targets = setting.targets._replace(labelled=nothing, votes=nothing)
    assert seeded(objective, setting, unrated(setting.batch)) == {}


def test_users_without_a_rating_count_as_users_without_a_target(setting):
    """They neither crash the batch nor pull at it."""
    objective = setting.objective(ranking=1, rating=1)
    half = unrated(setting.batch, slice(0, None, 2))
    parts = seeded(objective, setting, half)
    assert all(torch.isfinite(part) for part in parts.values())
    sum(parts.values()).backward()
    assert not setting.model.ranked[1].grad[::2].any()


def test_penalties_are_parts_and_weighted(shared_private):
    setting = shared_private
    objective = setting.objective(**dict.fromkeys(PARTS, 1))
    parts = seeded(objective, setting)
    penalties = {name for name in parts if name.startswith("penalty/")}
    assert parts.keys() - penalties == set(PARTS)
    assert penalties == {"penalty/adversarial", "penalty/orthogonality"}
    for penalty in setting.model.penalties:
        penalty.weight *= 3
    tripled = seeded(objective, setting)
    for name, part in parts.items():
        assert tripled[name].item() == pytest.approx((3 if name in penalties else 1) * part.item())


def asking(setting, batch=None, **losses):
    """The examples that each penalty was given."""
    objective, given = setting.objective(**losses), []

    class Spy:
        name, weight = "spy", 1.0

        def __call__(self, encoded, occasion):
            given.append(occasion)
            return encoded.shared.new_zeros(())

    setting.model.penalties = [Spy()]
    seeded(objective, setting, batch, progress=0.25)
    (occasion,) = given
    assert occasion.progress == 0.25
    return occasion.examples


def test_tasks_ask_for_what_they_are_taught_by(shared_private):
    setting = shared_private
    examples = asking(setting, **dict.fromkeys(PARTS, 1))
    assert examples.keys() == {"ranking", "rating", "genre", "audience"}
    hidden = (setting.batch.rated - setting.model.rated[1]).sum(dim=0)
    assert torch.equal(examples["ranking"], hidden)
    assert torch.equal(examples["rating"], hidden)
    assert torch.equal(examples["genre"] > 0, setting.targets.labelled > 0)
    assert torch.equal(examples["audience"] > 0, setting.targets.votes > 0)


@pytest.mark.parametrize("off", ["ranking", "rating", "genre", "audience"])
def test_a_task_of_weight_zero_asks_for_nothing(shared_private, off):
    parts = {n: 0 if TASK_OF.get(n, n) == off else 1 for n in PARTS}
    everything = {"ranking", "rating", "genre", "audience"}
    assert asking(shared_private, **parts).keys() == everything - {off}


def test_distillation_alone_is_asked_by_ranking(shared_private):
    assert asking(shared_private, distillation=1).keys() == {"ranking"}


def test_tasks_without_examples_ask_for_nothing(shared_private):
    parts = dict.fromkeys(PARTS, 1) | {"distillation": 0}
    batch = unrated(shared_private.batch)
    assert asking(shared_private, batch, **parts).keys() == {"genre", "audience"}


def test_gradients_are_finite_for_every_task_together(setting):
    ask(setting, **dict.fromkeys(PARTS, 1))
    for name, parameter in setting.model.named_parameters():
        if parameter.numel():
            assert torch.isfinite(parameter.grad).all(), name
    assert np.isfinite(setting.world.train.rating).all()
