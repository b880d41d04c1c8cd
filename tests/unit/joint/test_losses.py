# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the losses are torch")
from torch.nn import functional

from recsys.recommenders.joint.losses import (
    distillation_loss,
    genre_loss,
    ranking_loss,
    rating_loss,
)

USERS, ITEMS = 6, 10


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def scores(random):
    return torch.randn(USERS, ITEMS, generator=random).requires_grad_()


@pytest.fixture
def teacher(random):
    return torch.randn(USERS, ITEMS, generator=random)


@pytest.fixture
def candidates(random):
    open_ = torch.rand(USERS, ITEMS, generator=random) < 0.7
    open_[:, :2] = True
    return open_


@pytest.fixture
def positive(random, candidates):
    chosen = (torch.rand(USERS, ITEMS, generator=random) < 0.4) & candidates
    chosen[:, 0] = True
    return chosen.float()


EVERYTHING = torch.ones(USERS, ITEMS, dtype=torch.bool)


def test_ranking_with_one_positive_each_is_cross_entropy(scores):
    target = torch.arange(USERS) % ITEMS
    one_hot = functional.one_hot(target, ITEMS).float()
    found = ranking_loss(scores, one_hot, EVERYTHING)
    torch.testing.assert_close(found, functional.cross_entropy(scores, target))


def test_ranking_with_many_positives_is_cross_entropy_with_soft_targets(scores, positive):
    soft = positive / positive.sum(dim=1, keepdim=True)
    found = ranking_loss(scores, positive, EVERYTHING)
    torch.testing.assert_close(found, functional.cross_entropy(scores, soft))


def test_ranking_runs_over_the_candidates_alone(scores, positive, candidates):
    found = ranking_loss(scores, positive, candidates)
    each = []
    for u in range(USERS):
        open_, chosen = candidates[u], positive[u].bool()
        log_p = scores[u] - torch.logsumexp(scores[u][open_], dim=0)
        each.append(-log_p[chosen].mean())
    torch.testing.assert_close(found, torch.stack(each).mean())


def test_a_user_without_positives_adds_nothing_to_the_ranking(scores, positive, candidates):
    positive[2] = 0
    found = ranking_loss(scores, positive, candidates)
    (gradient,) = torch.autograd.grad(found, scores)
    assert torch.isfinite(found)
    assert not gradient[2].any()
    assert gradient[3].any()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_distillation_is_the_divergence_of_explicit_probabilities(
    scores, teacher, candidates, temperature
):
    found = distillation_loss(scores, teacher, candidates, temperature)
    total = 0.0
    for u in range(USERS):
        open_ = candidates[u]
        sharpness = teacher[u].std() * temperature
        target = torch.softmax(teacher[u][open_] / sharpness, dim=0)
        student = torch.softmax(scores[u][open_] / temperature, dim=0)
        total += (target * (target / student).log()).sum()
    torch.testing.assert_close(found, total / USERS * temperature**2)


def test_distillation_is_torch_kl_div_on_probabilities(scores, teacher):
    scaled = teacher / teacher.std(dim=1, keepdim=True)
    expected = functional.kl_div(
        torch.softmax(scores, dim=1).log(), torch.softmax(scaled, dim=1), reduction="batchmean"
    )
    torch.testing.assert_close(distillation_loss(scores, teacher, EVERYTHING, 1.0), expected)


def test_a_teacher_s_scale_is_of_no_interest(scores, teacher, candidates):
    per_user = torch.linspace(0.01, 50, USERS)[:, None]
    one, two = (
        distillation_loss(scores, t, candidates, 1.5) for t in (teacher, per_user * teacher)
    )
    torch.testing.assert_close(one, two)


def test_a_student_that_equals_its_teacher_has_nothing_to_learn(teacher, candidates):
    student = (teacher / teacher.std(dim=1, keepdim=True) + 7).requires_grad_()
    loss = distillation_loss(student, 3 * teacher, candidates, 2.0)
    (gradient,) = torch.autograd.grad(loss, student)
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert gradient.abs().max() < 1e-6


def test_a_teacher_without_opinion_is_survived(scores, candidates):
    loss = distillation_loss(scores, torch.zeros(USERS, ITEMS), candidates, 1.5)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("part", ["ranking", "distillation"])
def test_masked_candidates_receive_no_gradient(scores, teacher, positive, candidates, part):
    losses = {
        "ranking": lambda: ranking_loss(scores, positive, candidates),
        "distillation": lambda: distillation_loss(scores, teacher, candidates, 1.5),
    }
    (gradient,) = torch.autograd.grad(losses[part](), scores)
    assert (gradient[~candidates] == 0).all()
    assert (gradient[candidates] != 0).all()


@pytest.mark.parametrize("part", ["ranking", "distillation"])
def test_scores_of_masked_candidates_do_not_matter(scores, teacher, positive, candidates, part):
    wild = torch.where(candidates, scores.detach(), 1e4)
    found = [
        ranking_loss(s, positive, candidates)
        if part == "ranking"
        else distillation_loss(s, teacher, candidates, 1.5)
        for s in (scores, wild)
    ]
    torch.testing.assert_close(found[0], found[1])


def test_rating_is_torch_s_gaussian_likelihood(random):
    mean, log_variance, rating = torch.randn(3, 40, generator=random)
    expected = torch.nn.GaussianNLLLoss(full=False)(mean, rating, log_variance.exp())
    torch.testing.assert_close(rating_loss(mean, log_variance, rating), expected)


def test_rating_differs_from_the_full_likelihood_by_its_constant(random):
    mean, log_variance, rating = torch.randn(3, 40, generator=random)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    constant = 0.5 * np.log(2 * np.pi)
    found = rating_loss(mean, log_variance, rating) + constant
    torch.testing.assert_close(found, -normal.log_prob(rating).mean())


def test_the_best_variance_is_the_mean_squared_error(random):
    error = torch.randn(500, generator=random)
    log_variance = error.square().mean().log().requires_grad_()
    rating_loss(torch.zeros(500), log_variance.expand(500), error).backward()
    assert log_variance.grad.item() == pytest.approx(0, abs=1e-5)


def test_genre_is_scikit_learn_s_log_loss(random):
    metrics = pytest.importorskip("sklearn.metrics", reason="the oracle is scikit-learn")
    logits = torch.randn(20, 4, generator=random, dtype=torch.float64)
    genres = (torch.rand(20, 4, generator=random) < 0.4).double()
    probabilities = torch.sigmoid(logits)
    expected = [
        metrics.log_loss(genres[:, g], probabilities[:, g], labels=[0, 1]) for g in range(4)
    ]
    assert genre_loss(logits, genres).item() == pytest.approx(np.mean(expected), rel=1e-9)
