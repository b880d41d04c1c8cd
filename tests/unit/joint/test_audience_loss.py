# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the losses are torch")

from recsys.recommenders.joint.losses import audience_loss

ZERO = torch.zeros(())


@pytest.fixture
def movies():
    random = torch.Generator().manual_seed(0)
    mean, log_variance, average = torch.randn(3, 40, generator=random, dtype=torch.float64)
    votes = torch.randint(1, 3000, (40,), generator=random)
    return mean, log_variance, average, votes


def test_it_is_the_likelihood_of_a_normal_with_both_variances(movies):
    mean, log_variance, average, votes = movies
    w = torch.tensor(0.4, dtype=torch.float64)
    found = audience_loss(mean, log_variance, w, average, votes)
    std = (log_variance.exp() + w.exp() / votes).sqrt()
    exact = -torch.distributions.Normal(mean, std).log_prob(average).mean()
    torch.testing.assert_close(found + 0.5 * math.log(2 * math.pi), exact)


def test_gradients_are_those_of_finite_differences(movies):
    mean, log_variance, average, votes = movies
    w = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda m, v, w: audience_loss(m, v, w, average, votes),
        (mean.requires_grad_(), log_variance.requires_grad_(), w),
    )


def pull(votes):
    """How hard an error of one star pulls at a prediction that is otherwise sure of itself."""
    mean = torch.zeros(1, requires_grad=True)
    audience_loss(mean, torch.tensor([-6.0]), ZERO, torch.ones(1), torch.tensor([votes])).backward()
    return -mean.grad.item()


def test_thousands_of_votes_weigh_more_than_ten():
    weights = [pull(votes) for votes in (1, 10, 100, 1000, 10000)]
    assert weights == sorted(weights)
    assert weights[3] > 20 * weights[1]
    for votes, weight in ((1, weights[0]), (10, weights[1]), (1000, weights[3])):
        assert weight == pytest.approx(1 / (math.exp(-6) + 1 / votes), rel=1e-5)


def test_votes_count_for_no_more_than_what_they_are_evaluated_by():
    assert pull(10**9) == pytest.approx(math.exp(6), rel=1e-4)


def test_what_several_movies_share_is_their_precision_weighted_mean():
    mean = torch.tensor(3.0, requires_grad=True)
    average, votes = torch.tensor([2.0, 4.0]), torch.tensor([10, 3000])
    precision = 1 / (0.01 + 1 / votes)
    best = (precision * average).sum() / precision.sum()
    variance = torch.full((2,), math.log(0.01))
    loss = audience_loss(mean + (best - 3) * torch.ones(2), variance, ZERO, average, votes)
    loss.backward()
    assert mean.grad.item() == pytest.approx(0, abs=1e-4)
    assert best > 3.8


def test_movies_without_votes_take_no_part(movies):
    mean, log_variance, average, votes = movies
    expected = audience_loss(mean[:30], log_variance[:30], ZERO, average[:30], votes[:30])
    votes[30:], average[30:] = 0, torch.nan
    mean.requires_grad_()
    found = audience_loss(mean, log_variance, ZERO, average, votes)
    found.backward()
    torch.testing.assert_close(found, expected)
    assert mean.grad[:30].all()
    assert not mean.grad[30:].any()
    assert audience_loss(mean, log_variance, ZERO, average, 0 * votes).item() == 0


def test_both_variances_are_learnt():
    random = torch.Generator().manual_seed(2)
    votes = torch.logspace(0, 3, 4000).round()
    scatter = torch.sqrt(0.2**2 + 1.1**2 / votes)
    average = 3.5 + scatter * torch.randn(4000, generator=random)
    found = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.LBFGS([found], max_iter=100)

    def step():
        optimiser.zero_grad()
        mean, v, w = found
        loss = audience_loss(mean.expand(4000), v.expand(4000), w, average, votes)
        loss.backward()
        return loss

    optimiser.step(step)
    mean, v, w = found.tolist()
    assert mean == pytest.approx(3.5, abs=0.02)
    assert math.exp(v / 2) == pytest.approx(0.2, abs=0.02)
    assert math.exp(w / 2) == pytest.approx(1.1, abs=0.05)
