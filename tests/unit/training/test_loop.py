# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError, RecsysError
from recsys.training.loop import TrainingLog, deterministic, make_optimiser, monitored, run


class Point(torch.nn.Module):
    """One number, which the objective pulls towards 10."""

    def __init__(self):
        super().__init__()
        self.at = torch.nn.Parameter(torch.zeros(()))


def pull(model, batch):
    return {"near": (model.at - 10) ** 2, "far": 0.5 * (model.at - 10).abs()}


def settings(**options) -> TrainingConfig:
    usual = {"epochs": 10, "evaluate_every": 1, "patience": 100, "monitor": {"score": 1}}
    return TrainingConfig(**(usual | options))


def trained(config, scores, objective=pull, log=None, batches=(0, 1, 2)):
    """The model, its log, and where it was at each validation."""
    model, log, visited, script = Point(), log or TrainingLog(), [], iter(scores)

    def validate():
        visited.append(model.at.item())
        return {"score": next(script), "other": 0.5}

    run(model, list(batches), objective, validate, config, log)
    return model, log, visited


def test_the_weights_that_validated_best_are_kept():
    scores = [0.1, 0.2, 0.9, 0.3, 0.8, 0.4, 0.5, 0.6, 0.7, 0.1]
    model, log, visited = trained(settings(), scores)
    assert model.at.item() == visited[2]
    assert len(set(visited)) == 10
    assert (log.best_epoch, log.best_metrics) == (3, {"score": 0.9, "other": 0.5})
    assert not model.training


def test_of_equals_the_first_is_kept():
    model, log, visited = trained(settings(), [0.5] * 10)
    assert log.best_epoch == 1
    assert model.at.item() == visited[0]


def test_what_is_lower_may_be_better():
    scores = [3.0, 1.0, 2.0]
    _, log, _ = trained(settings(epochs=3, monitor={"score": -1.0}), scores)
    assert log.best_epoch == 2


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_patience_counts_validations_without_a_better_one(patience):
    scores = [0.1, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]
    _, log, visited = trained(settings(patience=patience), scores)
    assert len(visited) == len(log.records) == 2 + patience


def test_a_better_one_restores_patience():
    scores = [0.5, 0.4, 0.6, 0.5, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    _, log, visited = trained(settings(patience=2), scores)
    assert len(visited) == 7
    assert log.best_epoch == 5


def test_validation_comes_every_so_often_and_after_the_last_epoch():
    _, log, visited = trained(settings(evaluate_every=4), [0.1, 0.2, 0.3])
    assert len(visited) == 3
    measured = [record["epoch"] for record in log.records if "valid/score" in record]
    assert measured == [4, 8, 10]


def test_one_record_an_epoch_is_written_as_json(tmp_path):
    log = TrainingLog(tmp_path / "log.jsonl")
    trained(settings(evaluate_every=5), [0.1, 0.2], log=log)
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert lines == log.records
    assert [line["epoch"] for line in lines] == list(range(1, 11))
    assert all({"loss/near", "loss/far"} <= line.keys() for line in lines)
    assert [line.get("valid/score") for line in lines] == [None] * 4 + [0.1] + [None] * 4 + [0.2]


def test_the_record_of_an_epoch_exists_before_the_next_begins(tmp_path):
    path = tmp_path / "log.jsonl"

    def objective(model, batch):
        written = path.read_text().count("\n") if path.exists() else 0
        return {"near": (model.at - 10) ** 2, "count": torch.tensor(float(written))}

    _, log, _ = trained(settings(epochs=3), [1, 2, 3], objective, TrainingLog(path))
    assert [record["loss/count"] for record in log.records] == [0, 1, 2]


def test_a_loss_part_is_recorded_as_its_mean_over_the_batches():
    def objective(model, batch):
        return {"fixed": 0 * model.at + batch}

    _, log, _ = trained(settings(epochs=1), [0], objective, batches=(1.0, 2.0, 6.0))
    assert log.records[0]["loss/fixed"] == pytest.approx(3.0)


def test_training_moves_towards_the_objective():
    model, log, _ = trained(settings(epochs=100, learning_rate=0.3), range(100))
    assert model.at.item() == pytest.approx(10, abs=0.1)
    for part in ("loss/near", "loss/far"):
        assert log.records[-1][part] < 0.05 * log.records[0][part]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_training_before_the_weights_are_spoilt(bad):
    model = Point()

    def objective(model, batch):
        return {"good": (model.at - 10) ** 2, "bad": model.at * bad + bad}

    with pytest.raises(
        RecsysError, match=r"no longer finite \(good 100, bad (nan|inf)\)"
    ) as caught:
        run(model, [0], objective, lambda: {"score": 0}, settings(), TrainingLog())
    assert "learning_rate" in caught.value.hint
    assert model.at.item() == 0


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_a_validation_that_is_not_finite_stops_training(score):
    with pytest.raises(RecsysError, match="validation is no longer finite"):
        trained(settings(), [0.5, score])


def test_a_monitor_that_is_not_measured_is_refused():
    config = settings(monitor={"score": 1, "scoer": 1})
    with pytest.raises(ConfigError, match=r"training.monitor names scoer[^s]") as caught:
        trained(config, [0.5])
    assert "score, other" in caught.value.hint


def test_monitored_is_the_weighted_sum():
    metrics = {"ndcg": 0.3, "rmse": 0.9, "mae": 7.0}
    assert monitored(metrics, {"ndcg": 1, "rmse": -0.5}) == pytest.approx(-0.15)


def test_a_batch_with_nothing_to_learn_is_passed_over():
    def objective(model, batch):
        return pull(model, batch) if batch else {}

    model, log, _ = trained(settings(epochs=2), [0, 1], objective, batches=(0, 1, 0))
    assert model.at.item() > 0
    assert log.records[0]["loss/near"] > 0


def test_decay_is_for_offsets_and_content_weights_and_not_for_single_numbers():
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vector_offsets = torch.nn.Parameter(torch.ones(2, 2))
            self.scalar_offsets = torch.nn.Parameter(torch.ones(2))
            self.linear = torch.nn.Linear(2, 2)

    model = Model()
    optimiser = make_optimiser(model, settings(offset_decay=0.25, content_decay=0.75))
    decay = {
        id(parameter): group["weight_decay"]
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    found = {name: decay[id(parameter)] for name, parameter in model.named_parameters()}
    assert found == {
        "vector_offsets": 0.25,
        "scalar_offsets": 0,
        "linear.weight": 0.75,
        "linear.bias": 0,
    }


@pytest.fixture
def torch_state():
    """Puts torch back as the tests found it."""
    threads, on = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=[]):
        yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(on, warn_only=warn)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("mode", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("failing", [False, True])
def test_torch_is_left_as_it_was(torch_state, mode, failing):
    torch.use_deterministic_algorithms(mode[0], warn_only=mode[1])
    torch.set_num_threads(1)
    before = torch.get_rng_state()
    try:
        with deterministic(0, threads=2):
            assert torch.get_num_threads() == 2
            assert torch.are_deterministic_algorithms_enabled()
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
            torch.rand(3)
            if failing:
                raise StoppedError
    except StoppedError:
        pass
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled() is mode[0]
    assert torch.is_deterministic_algorithms_warn_only_enabled() is mode[1]


def test_the_seed_alone_decides_what_is_drawn(torch_state):
    drawn = []
    for outside, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(outside)
        with deterministic(seed, threads=1):
            drawn.append(torch.rand(4).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
