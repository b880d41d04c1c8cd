# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from recsys.config.experiment import TrainingConfig
from recsys.errors import ConfigError, RecsysError
from recsys.recommenders.joint.training.log import JsonLines, RunOptions, TrainingLog
from recsys.recommenders.joint.training.loop import Learning, make_optimiser, monitored, run


class Point(torch.nn.Module):
    """One number, which the objective pulls towards 10."""

    def __init__(self):
        super().__init__()
        self.at = torch.nn.Parameter(torch.zeros(()))


class Numbers:
    """Batches that are one number each."""

    def __init__(self, values):
        self.values = [torch.tensor(float(value)) for value in values]

    def __len__(self):
        return len(self.values)

    def epoch(self, number, start=0):  # noqa: ARG002 - the same in every epoch
        yield from self.values[start:]


def pull(model, batch, progress):
    return {"near": (model.at - 10) ** 2, "far": 0.5 * (model.at - 10).abs()}


def settings(**options) -> TrainingConfig:
    usual = {"epochs": 10, "evaluate_every": 1, "patience": 100, "monitor": {"score": 1}}
    return TrainingConfig(**(usual | options))


def trained(config, scores, objective=pull, log=None, batches=(0, 1, 2), options=None):
    """The model, its log, and where it was at each validation."""
    model, log, visited, script = Point(), log or TrainingLog(), [], iter(scores)

    def validate():
        visited.append(model.at.item())
        return {"score": next(script), "other": 0.5}

    with log:
        run(Learning(model, Numbers(batches), objective, validate), config, log, options)
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
    path = tmp_path / "log.jsonl"
    log = TrainingLog([JsonLines(path)])
    trained(settings(evaluate_every=5), [0.1, 0.2], log=log)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == log.records
    assert [line["epoch"] for line in lines] == list(range(1, 11))
    assert all({"loss/near", "loss/far"} <= line.keys() for line in lines)
    assert [line.get("valid/score") for line in lines] == [None] * 4 + [0.1] + [None] * 4 + [0.2]


def test_the_record_of_an_epoch_exists_before_the_next_begins(tmp_path):
    path = tmp_path / "log.jsonl"

    def objective(model, batch, progress):
        written = path.read_text().count("\n") if path.exists() else 0
        return {"near": (model.at - 10) ** 2, "count": torch.tensor(float(written))}

    _, log, _ = trained(settings(epochs=3), [1, 2, 3], objective, TrainingLog([JsonLines(path)]))
    assert [record["loss/count"] for record in log.records] == [0, 1, 2]


def test_a_loss_part_is_recorded_as_its_mean_over_the_batches():
    def objective(model, batch, progress):
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

    def objective(model, batch, progress):
        return {"good": (model.at - 10) ** 2, "bad": model.at * bad + bad}

    learning = Learning(model, Numbers([0]), objective, lambda: {"score": 0})
    expected = r"no longer finite \(good 100, bad (nan|inf)\)"
    with pytest.raises(RecsysError, match=expected) as caught:
        run(learning, settings(), TrainingLog())
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
    def objective(model, batch, progress):
        return pull(model, batch, progress) if batch else {}

    model, log, _ = trained(settings(epochs=2), [0, 1], objective, batches=(0, 1, 0))
    assert model.at.item() > 0
    assert log.records[0]["loss/near"] > 0


def test_decay_is_for_offsets_and_content_weights_and_not_for_single_numbers():
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            vectors, numbers = torch.ones(2, 2), torch.ones(2, 1)
            self.offsets = torch.nn.ParameterDict({"vectors": vectors, "numbers": numbers})
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
        "offsets.vectors": 0.25,
        "offsets.numbers": 0,
        "linear.weight": 0.75,
        "linear.bias": 0,
    }


def test_the_objective_is_told_how_far_training_is():
    told = []

    def objective(model, batch, progress):
        told.append(progress)
        return pull(model, batch, progress)

    trained(settings(epochs=4), range(4), objective)
    assert told == [n / 12 for n in range(12)]


def test_what_is_told_counts_batches_with_nothing_to_learn():
    told = []

    def objective(model, batch, progress):
        told.append(progress)
        return pull(model, batch, progress) if batch else {}

    trained(settings(epochs=2), range(2), objective, batches=(0, 1))
    assert told == [0, 0.25, 0.5, 0.75]


def test_every_validation_is_told_with_its_epoch_and_score():
    told = []
    options = RunOptions(on_validation=lambda epoch, score: told.append((epoch, score)))
    config = settings(evaluate_every=4, monitor={"score": 2})
    trained(config, [0.1, 0.3, 0.2], options=options)
    assert told == [(4, 0.2), (8, 0.6), (10, 0.4)]


def test_whoever_is_told_may_end_training_and_the_log_says_why(tmp_path):
    def pruning(epoch, score):
        if epoch == 2:
            raise StoppedError

    log = TrainingLog([JsonLines(tmp_path / "log.jsonl")])
    with pytest.raises(StoppedError):
        trained(settings(), range(10), log=log, options=RunOptions(on_validation=pruning))
    assert [record["epoch"] for record in log.records] == [1, 2]
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2


class StoppedError(Exception):
    pass


def test_bfloat16_is_close_and_keeps_float32_weights():
    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(8, 1)

    seen = set()

    def objective(model, batch, progress):
        predicted = model.linear(torch.linspace(0, 1, 8).expand(4, 8) * (1 + batch))
        seen.add(predicted.dtype)
        return {"fit": (predicted - 3).square().mean()}

    found = []
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        model = Line()
        learning = Learning(model, Numbers([0, 1]), objective, lambda: {"score": 0})
        log = TrainingLog()
        config = settings(epochs=20, precision=precision, device="cpu", learning_rate=0.03)
        run(learning, config, log)
        assert model.linear.weight.dtype == torch.float32
        found.append([record["loss/fit"] for record in log.records])
    assert seen == {torch.float32, torch.bfloat16}
    assert found[0] != found[1]
    torch.testing.assert_close(torch.tensor(found[1]), torch.tensor(found[0]), rtol=0.05, atol=0.05)
