# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import SharingConfig
from recsys.errors import ConfigError
from recsys.recommenders.joint.training.compiling import compiled
from recsys.testing.contract import fit
from recsys.testing.joint import toy_experiment, toy_joint
from recsys.testing.worlds import two_genre_world


def objective(model, batch, progress):
    return {"a": (model(batch) * progress).square().sum()}


def test_what_cannot_be_compiled_is_refused_with_what_to_do(monkeypatch):
    from torch._dynamo.exc import BackendCompilerFailed

    def without_compiler(function, **_):
        def call(*_):
            raise BackendCompilerFailed(without_compiler, RuntimeError("no C++ compiler"), None)

        return call

    monkeypatch.setattr("torch.compile", without_compiler)
    with pytest.raises(
        ConfigError, match=r"cannot be compiled here: .*no C\+\+ compiler"
    ) as caught:
        compiled(objective)(torch.nn.Linear(1, 1), torch.ones(1, 1), 0.0)
    assert "training.compile=false" in caught.value.hint


def test_an_error_of_the_objective_is_passed_on(monkeypatch):
    monkeypatch.setattr("torch.compile", lambda function, **_: function)
    with pytest.raises(ZeroDivisionError):
        compiled(lambda *_: 1 / 0)(None, None, 0.0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Dynamo detected")
def test_compiled_training_ends_where_uncompiled_does():
    world, found = two_genre_world(), []
    for compile_ in (False, True):
        config = toy_experiment(
            epochs=3, evaluate_every=3, balancing="gradnorm", compile=compile_
        ).model_copy(update={"sharing": SharingConfig(scheme="asp", shared_dim=8, private_dim=4)})
        try:
            found.append(fit(toy_joint(config), world))
        except ConfigError as error:
            pytest.skip(f"nothing can be compiled here: {error}")
    arrays = [subject.model.movies.arrays() for subject in found]
    for name, array in arrays[0].items():
        np.testing.assert_allclose(arrays[1][name], array, rtol=1e-3, atol=1e-3, err_msg=name)
