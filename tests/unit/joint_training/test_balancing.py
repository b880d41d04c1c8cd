"""Held against equations worked by hand, and against automatic second derivatives."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError
from recsys.recommenders.joint.training.balancing import Fixed, balancing_for
from recsys.recommenders.joint.training.learnt_balancing import GradNorm, Uncertainty

RATE = 0.025


class Shared(torch.nn.Module):
    """One shared weight w; task a is (w - 1)², task b is 9 (w + 1)²."""

    def __init__(self, start=0.0):
        super().__init__()
        self.shared_weight = torch.nn.Parameter(torch.tensor(start))

    def parts(self):
        w = self.shared_weight
        return {"a": (w - 1) ** 2, "b": 9 * (w + 1) ** 2}


def step(balancing, parts):
    total = balancing.total(parts)
    total.backward()
    balancing.step()
    return total.item()


@pytest.mark.parametrize(
    ("name", "kind"), [("fixed", Fixed), ("uncertainty", Uncertainty), ("gradnorm", GradNorm)]
)
def test_the_configuration_chooses(name, kind):
    found = balancing_for(TrainingConfig(balancing=name, gradnorm_alpha=0.5), Shared())
    assert type(found) is kind
    assert getattr(found, "alpha", 0.5) == 0.5


def test_gradient_norms_need_a_shared_layer():
    with pytest.raises(ConfigError, match="needs a layer that all tasks share"):
        balancing_for(TrainingConfig(balancing="gradnorm"), torch.nn.Linear(1, 1))


def test_fixed_is_the_sum():
    balancing, model = Fixed(), Shared(0.5)
    total = balancing.total(model.parts() | {"penalty/p": torch.tensor(3.0)})
    assert total.item() == pytest.approx(0.25 + 9 * 2.25 + 3)
    assert balancing.weights() == {}


def test_uncertainty_begins_as_the_sum_and_moves_against_the_gradient_of_its_formula():
    balancing, model = Uncertainty(), Shared()
    assert step(balancing, model.parts()) == pytest.approx(1 + 9)
    # d/ds (e^-s L + s) = 1 - L at s = 0: nothing for a, -8 for b; Adam's first step is its rate.
    assert balancing.weights()["a"] == pytest.approx(1, abs=1e-6)
    assert balancing.weights()["b"] == pytest.approx(math.exp(-RATE), rel=1e-5)
    second = balancing.total(model.parts()).item()
    assert second == pytest.approx(1 + 9 * math.exp(-RATE) + RATE, rel=1e-5)


def test_uncertainty_weighs_the_gradient_of_the_model():
    balancing, model = Uncertainty(), Shared()
    step(balancing, model.parts())
    model.shared_weight.grad = None
    weight = balancing.weights()
    balancing.total(model.parts()).backward()
    # d/dw at 0: -2 of a, 18 of b
    expected = -2 * weight["a"] + 18 * weight["b"]
    assert model.shared_weight.grad.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [0.2, 0.7, 1.0, 4.0])
def test_under_uncertainty_a_weight_settles_at_one_over_its_loss(loss):
    balancing = Uncertainty()
    for _ in range(600):
        step(balancing, {"a": torch.tensor(loss)})
    assert balancing.weights()["a"] == pytest.approx(1 / loss, rel=0.05)


@pytest.mark.parametrize(("loss", "bound"), [(-5.0, math.exp(3)), (1e6, math.exp(-3))])
def test_under_uncertainty_no_weight_runs_away(loss, bound):
    balancing = Uncertainty()
    for _ in range(300):
        step(balancing, {"a": torch.tensor(loss)})
    assert balancing.weights()["a"] == pytest.approx(bound, rel=1e-5)


@pytest.mark.parametrize("kind", ["uncertainty", "gradnorm"])
def test_penalties_are_added_as_they_are(kind):
    model = Shared()
    balancing = balancing_for(TrainingConfig(balancing=kind), model)
    for _ in range(20):
        step(balancing, model.parts())
    plain = balancing.total(model.parts()).item()
    penalty = {"penalty/p": torch.tensor(3.0, requires_grad=True)}
    assert balancing.total(model.parts() | penalty).item() == pytest.approx(plain + 3)
    assert balancing.weights().keys() == {"a", "b"}
    assert balancing.total(penalty).item() == 3


def test_gradient_norms_at_the_first_step():
    """At w = 0: G_a = 2, G_b = 18, both losses are all of their first, so each should have 10."""
    model = Shared()
    balancing = GradNorm(model.shared_weight, alpha=1.5)
    assert step(balancing, model.parts()) == pytest.approx(1 + 9)
    # a is below and b above, so Adam's first step is its rate up and down; they still add up to 2.
    assert balancing.weights()["a"] == pytest.approx(1 + RATE, rel=1e-5)
    assert balancing.weights()["b"] == pytest.approx(1 - RATE, rel=1e-5)


def test_with_equal_rates_gradient_norms_become_equal():
    """w stays at 0, so losses never fall: w_a · 2 = w_b · 18 with w_a + w_b = 2."""
    model = Shared()
    balancing = GradNorm(model.shared_weight, alpha=1.5)
    for _ in range(2000):
        step(balancing, model.parts())
    assert balancing.weights()["a"] == pytest.approx(1.8, abs=0.05)
    assert balancing.weights()["b"] == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(("alpha", "favoured"), [(0.0, None), (1.5, "slow")])
def test_a_slow_task_is_helped_as_alpha_says(alpha, favoured):
    """Both gradients have norm 1; one loss has fallen to a tenth, the other not at all."""
    w = torch.nn.Parameter(torch.tensor(0.0))
    balancing = GradNorm(w, alpha)
    step(balancing, {"slow": w + 1.0, "fast": w + 1.0})
    for _ in range(50):
        step(balancing, {"slow": w + 1.0, "fast": w + 0.1})
    found = balancing.weights()
    assert sum(found.values()) == pytest.approx(2)
    if favoured is None:
        assert found["slow"] == pytest.approx(found["fast"], abs=2 * RATE)
    else:
        assert found["slow"] > 1.5


def test_the_gradient_of_the_weights_is_that_of_automatic_differentiation():
    """The formula needs no second derivative; the general way, which takes one, agrees."""
    torch.manual_seed(0)
    layer, x = torch.nn.Linear(4, 3), torch.randn(5, 4)
    first = torch.tensor([2.0, 0.5, 1.0])
    balancing = GradNorm(layer.weight, alpha=0.7)
    balancing.first = dict(zip("abc", first, strict=True))
    parts = {name: layer(x)[:, n].square().mean() for n, name in enumerate("abc")}
    balancing.total(parts)

    weights = torch.ones(3, requires_grad=True)
    norms = []
    for weight, part in zip(weights, parts.values(), strict=True):
        (g,) = torch.autograd.grad(weight * part, layer.weight, create_graph=True)
        norms.append(g.norm())
    norms = torch.stack(norms)
    shares = torch.stack([part.detach() for part in parts.values()]) / first
    wanted = (norms.mean() * (shares / shares.mean()) ** 0.7).detach()
    (norms - wanted).abs().sum().backward()
    found = torch.stack([value.grad for value in balancing.values.values()])
    torch.testing.assert_close(found, weights.grad)


def test_a_task_that_the_shared_layer_does_not_reach_disturbs_nothing():
    model, own = Shared(), torch.nn.Parameter(torch.tensor(2.0))
    balancing = GradNorm(model.shared_weight, alpha=1.5)
    for _ in range(5):
        total = step(balancing, model.parts() | {"own": own**2, "constant": torch.tensor(1.0)})
        assert math.isfinite(total)
    assert sum(balancing.weights().values()) == pytest.approx(4)


@pytest.mark.parametrize("first", [-1.0, 0.0, 1.0])
def test_gradient_norms_bear_losses_at_and_below_zero(first):
    w = torch.nn.Parameter(torch.tensor(0.0))
    balancing = GradNorm(w, alpha=1.5)
    for loss in (first, -3.0, 0.0, 5.0):
        step(balancing, {"a": w + loss, "b": 2 * w + 1.0})
    assert all(0 < weight < 2 for weight in balancing.weights().values())
    assert sum(balancing.weights().values()) == pytest.approx(2)


@pytest.mark.parametrize("kind", ["uncertainty", "gradnorm"])
def test_a_task_may_come_later_and_stay_away(kind):
    model = Shared()
    balancing = balancing_for(TrainingConfig(balancing=kind), model)
    both = model.parts
    for tasks in ("a", "ab", "b", "ab"):
        step(balancing, {name: part for name, part in both().items() if name in tasks})
    assert balancing.weights().keys() == {"a", "b"}


@pytest.mark.parametrize("kind", ["fixed", "uncertainty", "gradnorm"])
def test_a_restored_balancing_goes_on_bit_for_bit(kind):
    config, model = TrainingConfig(balancing=kind), Shared(0.3)
    whole, before = (balancing_for(config, model) for _ in range(2))
    for _ in range(4):
        step(whole, model.parts())
        step(before, model.parts())
    after = balancing_for(config, model)
    after.restore({name: tensor.clone() for name, tensor in before.tensors().items()})
    for _ in range(4):
        assert step(whole, model.parts()) == step(after, model.parts())
    assert after.weights() == whole.weights()
