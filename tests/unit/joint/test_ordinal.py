# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="ordinal training is torch")

from recsys.queries.rating_levels import RatingLevels
from recsys.recommenders.joint.losses import OrdinalThresholds, ordinal_loss

STARS = (1.0, 2.0, 3.0, 4.0, 5.0)
THRESHOLDS = (1.2, 2.7, 3.1, 4.6)


def given(mean, log_variance, index, dtype=torch.float64):
    parts = [torch.tensor(part, dtype=dtype) for part in (mean, log_variance, THRESHOLDS)]
    mean, log_variance, thresholds = (part.requires_grad_() for part in parts)
    return mean, log_variance, torch.tensor(index), thresholds


@pytest.fixture
def ordinary():
    random = np.random.default_rng(0)
    return given(random.normal(3, 1.5, 60), random.normal(0, 1, 60), np.arange(60) % 5)


def test_the_loss_is_the_log_probability_of_the_levels(ordinary):
    mean, log_variance, index, _ = ordinary
    eta, std = mean.detach().numpy(), np.exp(log_variance.detach().numpy() / 2)
    expected = RatingLevels(STARS, THRESHOLDS).log_probability(eta, std, index.numpy())
    assert ordinal_loss(*ordinary).item() == pytest.approx(-expected.mean(), rel=1e-12)


def test_gradients_are_those_of_finite_differences(ordinary):
    mean, log_variance, index, thresholds = ordinary
    assert torch.autograd.gradcheck(
        lambda m, v, t: ordinal_loss(m, v, index, t), (mean, log_variance, thresholds)
    )


def test_gradients_of_far_tails_are_those_of_finite_differences():
    mean, log_variance, index, thresholds = given(
        [-9.0, 14.0, -9.0, 14.0, 3.0], [-2.0, -2.0, -1.0, -1.0, -3.0], [3, 1, 4, 0, 4]
    )
    assert torch.autograd.gradcheck(
        lambda m, v, t: ordinal_loss(m, v, index, t), (mean, log_variance, thresholds), rtol=1e-4
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("log_variance", [-40.0, -10.0, 0.0, 10.0, 40.0])
@pytest.mark.parametrize("mean", [-1e5, -10.0, 3.0, 1e5])
def test_loss_and_gradients_are_finite_everywhere(mean, log_variance, dtype):
    inputs = given([mean] * 5, [log_variance] * 5, range(5), dtype)
    loss = ordinal_loss(*inputs)
    loss.backward()
    assert loss.dtype == dtype
    assert torch.isfinite(loss)
    for tensor in (inputs[0], inputs[1], inputs[3]):
        assert torch.isfinite(tensor.grad).all()


def test_thresholds_that_met_are_survived():
    mean, log_variance, index, _ = given([3.0] * 5, [0.0] * 5, range(5))
    met = torch.full((4,), 2.5, dtype=torch.float64, requires_grad=True)
    loss = ordinal_loss(mean, log_variance, index, met)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(mean.grad).all()
    assert torch.isfinite(met.grad).all()


@pytest.mark.parametrize("far", [40.0, 1e3, 1e6, 1e9])
def test_a_far_rating_pulls_as_a_gaussian_would(far):
    mean, log_variance, index, thresholds = given([far, -far], [0.0, 0.0], [1, 3])
    ordinal_loss(mean, log_variance, index, thresholds).backward()
    pull = [(far - THRESHOLDS[1]) / 2, (-far - THRESHOLDS[2]) / 2]
    assert mean.grad.tolist() == pytest.approx(pull, rel=1e-3)


def test_two_levels_are_a_probit():
    mean = torch.tensor([0.3, -1.0], dtype=torch.float64)
    log_variance = torch.tensor([0.0, 1.0], dtype=torch.float64)
    threshold = torch.tensor([0.5], dtype=torch.float64)
    found = ordinal_loss(mean, log_variance, torch.tensor([0, 1]), threshold)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    below = normal.cdf(threshold)
    assert found.item() == pytest.approx(-(below[0].log() + (1 - below[1]).log()).item() / 2)


def test_thresholds_begin_midway():
    found = OrdinalThresholds((0.5, 1.0, 2.0, 9.0)).thresholds()
    torch.testing.assert_close(found, torch.tensor([0.75, 1.5, 5.5]))


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_stay_in_order(seed):
    module, random = OrdinalThresholds(STARS), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(4 * torch.randn(parameter.shape, generator=random))
    assert (module.thresholds().diff() > 0).all()


def test_two_levels_have_one_threshold():
    assert OrdinalThresholds((0.0, 1.0)).thresholds().tolist() == [0.5]


def test_ratings_become_positions():
    ratings = torch.tensor([[1.0, 5.0], [3.0, 2.0]])
    assert OrdinalThresholds(STARS).index(ratings).tolist() == [[0, 4], [2, 1]]


def test_thresholds_and_spread_are_learnt_from_ratings():
    random = torch.Generator().manual_seed(1)
    mean = 3 + 1.2 * torch.randn(20000, generator=random)
    latent = mean + 0.7 * torch.randn(20000, generator=random)
    index = torch.bucketize(latent, torch.tensor(THRESHOLDS))
    module, log_variance = OrdinalThresholds(STARS), torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_variance, *module.parameters()], max_iter=100)

    def step():
        optimiser.zero_grad()
        loss = ordinal_loss(mean, log_variance.expand(20000), index, module.thresholds())
        loss.backward()
        return loss

    optimiser.step(step)
    assert (log_variance / 2).exp().item() == pytest.approx(0.7, abs=0.02)
    torch.testing.assert_close(module.thresholds(), torch.tensor(THRESHOLDS), atol=0.03, rtol=0)
