"""Killed anywhere and resumed, a training ends in the same bits."""

# ruff: noqa: E402 - torch may be absent

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from support.joint import toy_experiment, toy_joint

from recsys.config.experiment import AlignmentConfig, TrainingConfig
from recsys.errors import ConfigError
from recsys.recommenders.joint.training.checkpoints import DOCUMENT, Checkpoints, Identity
from recsys.recommenders.joint.training.devices import deterministic
from recsys.recommenders.joint.training.log import JsonLines, RunOptions, TrainingLog
from recsys.recommenders.joint.training.loop import Learning, run
from recsys.seeding import seed_for
from recsys.testing.contract import fit
from recsys.testing.worlds import two_genre_world

EPOCHS, BATCHES = 4, 3
STEPS = EPOCHS * BATCHES


@pytest.fixture(autouse=True)
def _interruptible():
    """A suite that runs in the background of a shell ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class KilledError(Exception):
    pass


class Net(torch.nn.Module):
    """Two tasks on a shared layer, with dropout, and an offset that only some batches reach."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layer, self.heads = torch.nn.Linear(5, 4), torch.nn.Linear(4, 2)
        self.late = torch.nn.Parameter(torch.zeros(2))

    def forward(self, x):
        hidden = torch.nn.functional.dropout(torch.tanh(self.layer(x)), 0.3, self.training)
        return self.heads(hidden)


class Shuffled:
    def __len__(self):
        return BATCHES

    def epoch(self, number, start=0):
        rng = torch.Generator().manual_seed(seed_for(0, f"{number}"))
        yield from torch.randn(BATCHES, 6, 5, generator=rng)[start:]


class Life:
    """One process' worth of training, that may end early."""

    def __init__(self, folder: Path, config: TrainingConfig, die_at=None, where="step"):
        self.folder, self.config, self.model = folder, config, Net()
        self.die_at, self.where, self.passed = die_at, where, 0
        self.told, self.log = [], TrainingLog([JsonLines(folder / "log.jsonl")])

    def pass_by(self, where):
        if where == self.where:
            if self.passed == self.die_at:
                raise KilledError
            self.passed += 1

    def objective(self, model, batch, progress):
        self.pass_by("step")
        out = model(batch)
        parts = {
            "a": (out[:, 0] - batch.sum(dim=1)).square().mean(),
            "b": (out[:, 1] - 1).abs().mean() * (1 + progress),
        }
        if batch[0, 0] > 0:
            parts["c"] = (model.late - batch[0, :2]).square().sum()
            parts["penalty/p"] = 0.01 * model.late.square().sum()
        return parts

    def validate(self):
        self.pass_by("validation")
        with torch.no_grad():
            score = -self.model.eval()(torch.ones(1, 5)).square().sum().item()
        return {"score": score, "undefined": float("nan")}

    def tell(self, epoch, score):
        self.told.append((epoch, score))
        self.pass_by("told")

    def live(self, resume=True):
        learning = Learning(self.model, Shuffled(), self.objective, self.validate)
        options = RunOptions(resume=resume, on_validation=self.tell)
        kept = Checkpoints(self.folder, Identity({}, {}), self.config.checkpoint_seconds)
        with deterministic(0, threads=1), self.log:
            run(learning, self.config, self.log, options, kept)
        return self

    def left(self):
        """Everything that a training leaves."""
        weights = {name: tensor.tolist() for name, tensor in self.model.state_dict().items()}
        log = (self.folder / "log.jsonl").read_text()
        assert log == "".join(json.dumps(record) + "\n" for record in self.log.records)
        return weights, log, self.log.best_epoch, repr(self.log.best_metrics)


def settings(**changes):
    usual = {"epochs": EPOCHS, "evaluate_every": 2, "monitor": {"score": 1}, "learning_rate": 0.05}
    return TrainingConfig(**(usual | {"checkpoint_seconds": 0} | changes))


def resumed(folder, config, die_at, where="step"):
    with pytest.raises(KilledError):
        Life(folder, config, die_at, where).live(resume=False)
    return Life(folder, config).live()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What uninterrupted trainings leave, by configuration."""
    known = {}

    def find(config):
        key = config.model_dump_json(exclude={"checkpoint_seconds"})
        if key not in known:
            folder = tmp_path_factory.mktemp("whole")
            known[key] = Life(folder, config.model_copy(update={"checkpoint_seconds": 1e9})).live()
        return known[key].left()

    return find


@pytest.mark.parametrize("step", range(STEPS))
def test_stopped_after_any_step(tmp_path, whole, step):
    config = settings()
    assert resumed(tmp_path, config, step).left() == whole(config)


@pytest.mark.parametrize("where", ["validation", "told"])
@pytest.mark.parametrize("number", range(2))
def test_stopped_around_a_validation(tmp_path, whole, where, number):
    config = settings()
    assert resumed(tmp_path, config, number, where).left() == whole(config)


def test_stopped_after_every_single_step(tmp_path, whole):
    config = settings()
    lives = 0
    while True:
        life = Life(tmp_path, config, die_at=1)
        try:
            life.live()
        except KilledError:
            lives += 1
        else:
            break
    assert lives == STEPS - 1
    assert life.left() == whole(config)


@pytest.mark.parametrize("every", [2, 5, 8])
@pytest.mark.parametrize("step", [1, 6, 9, 11])
def test_going_back_several_steps(tmp_path, whole, monkeypatch, step, every):
    ticks = iter(range(10**6))
    monkeypatch.setattr(
        "recsys.recommenders.joint.training.checkpoints.time.monotonic", lambda: next(ticks)
    )
    config = settings(checkpoint_seconds=every)
    assert resumed(tmp_path, config, step).left() == whole(config)


@pytest.mark.parametrize("patience", [1, 2])
@pytest.mark.parametrize("step", [4, 7])
def test_patience_is_remembered(tmp_path, whole, step, patience):
    config = settings(evaluate_every=1, patience=patience, learning_rate=1e-9, epochs=6)
    ended = len(whole(config)[1].splitlines())
    assert ended < 6
    if step < ended * BATCHES:
        assert resumed(tmp_path, config, step).left() == whole(config)


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("write", range(0, 2 * STEPS, 5))
def test_stopped_while_a_checkpoint_is_written(tmp_path, whole, monkeypatch, write, renamed):
    """Before a file takes its place, or right after: there are two files a checkpoint."""
    from recsys.recommenders.joint.training import checkpoints

    complete, count = checkpoints.atomic_write, iter(range(10**6))

    @contextmanager
    def killed(path):
        last = next(count) == write
        if last and not renamed:
            (path.parent / f".{path.name}.0.tmp").write_bytes(b"half of it")
            raise KilledError
        with complete(path) as temporary:
            yield temporary
        if last:
            raise KilledError

    monkeypatch.setattr(checkpoints, "atomic_write", killed)
    with pytest.raises(KilledError):
        Life(tmp_path, settings()).live(resume=False)
    monkeypatch.undo()
    assert Life(tmp_path, settings()).live().left() == whole(settings())


def test_a_finished_training_is_not_trained_again(tmp_path, whole):
    config = settings()
    Life(tmp_path, config).live()
    again = Life(tmp_path, config, die_at=0).live()
    assert again.left() == whole(config)
    assert again.told == []


def test_without_a_checkpoint_resuming_starts(tmp_path, whole):
    assert Life(tmp_path, settings()).live(resume=True).left() == whole(settings())


def test_without_resume_the_checkpoint_is_discarded(tmp_path, whole):
    with pytest.raises(KilledError):
        Life(tmp_path, settings(), die_at=5).live(resume=False)
    with pytest.raises(KilledError):
        Life(tmp_path, settings(), die_at=0).live(resume=False)
    assert not (tmp_path / DOCUMENT).exists()
    assert Life(tmp_path, settings()).live(resume=False).left() == whole(settings())


def test_torch_s_own_stream_is_left_as_it_was(tmp_path):
    with pytest.raises(KilledError):
        Life(tmp_path, settings(), die_at=5).live()
    life = Life(tmp_path, settings())
    before = torch.get_rng_state()
    life.live()
    assert torch.equal(torch.get_rng_state(), before)


def test_ctrl_c_waits_for_the_step_and_keeps_it(tmp_path, whole):
    life = Life(tmp_path, settings(checkpoint_seconds=1e9))
    objective = life.objective

    def pressed(model, batch, progress):
        if progress == 5 / STEPS:
            os.kill(os.getpid(), signal.SIGINT)
        return objective(model, batch, progress)

    life.objective = pressed
    with pytest.raises(KeyboardInterrupt):
        life.live()
    at = json.loads((tmp_path / DOCUMENT).read_text())["state"]["trainer"]
    assert (at["epoch"], at["step"]) == (2, 3)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert Life(tmp_path, settings()).live().left() == whole(settings())


def test_a_second_ctrl_c_acts_at_once(tmp_path):
    life, reached = Life(tmp_path, settings(checkpoint_seconds=1e9)), []

    def pressed(model, batch, progress):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        reached.append(progress)

    life.objective = pressed
    with pytest.raises(KeyboardInterrupt):
        life.live()
    assert reached == []
    assert not (tmp_path / DOCUMENT).exists()


def test_another_thread_may_train(tmp_path, whole):
    life = Life(tmp_path, settings())
    thread = threading.Thread(target=life.live)
    thread.start()
    thread.join()
    assert life.left() == whole(settings())


@pytest.fixture(scope="module")
def world():
    return two_genre_world()


def bits(subject) -> dict[str, bytes]:
    arrays = subject.model.movies.arrays() | dict(subject.tower.weights)
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("step", [1, 4, 7])
def test_the_joint_model_goes_on_exactly(world, tmp_path, step):
    config = toy_experiment(epochs=4, evaluate_every=2, batch_size=30, checkpoint_seconds=0)
    expected = fit(toy_joint(config), world)

    def die(subject):
        from recsys.recommenders.joint.training.loop import Stepper

        count, original = iter(range(10**6)), Stepper.step

        def counted(self, batch, progress):
            if next(count) == step:
                raise KilledError
            return original(self, batch, progress)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Stepper, "step", counted)
            with pytest.raises(KilledError):
                fit(subject, world)

    options = RunOptions(checkpoint=tmp_path, resume=True)
    die(toy_joint(config, options))
    found = fit(toy_joint(config, options), world)
    assert bits(found) == bits(expected)
    assert found.log.records == expected.log.records
    assert found.log.best_epoch == expected.log.best_epoch


def test_alignment_comes_again_and_leaves_no_trace(world, tmp_path, monkeypatch):
    """It is run anew before training goes on, whose weights then take the place of its own."""
    table = world.catalogue.modalities["metadata"]
    other = replace(table, name="text", vectors=table.vectors[:, ::-1])
    world = replace(world, catalogue=world.catalogue.with_modality(other))
    aligned = AlignmentConfig(epochs=3, anchor="text", target="metadata")
    config = toy_experiment(epochs=4, evaluate_every=2, checkpoint_seconds=0)
    config = config.model_copy(update={"alignment": aligned})
    expected = fit(toy_joint(config), world)
    log = tmp_path / "log.jsonl"
    options = RunOptions(log, checkpoint=tmp_path / "checkpoint", resume=True)

    def pruned(epoch, score):
        raise KilledError

    with pytest.raises(KilledError):
        fit(toy_joint(config, replace(options, on_validation=pruned)), world)
    found = fit(toy_joint(config, options), world)
    assert bits(found) == bits(expected)
    assert [json.loads(line) for line in log.read_text().splitlines()] == expected.log.records
    assert (len(expected.log.records), expected.log.epochs) == (5, 4)


def test_the_joint_model_refuses_another_checkpoint(world, tmp_path):
    options = RunOptions(checkpoint=tmp_path, resume=True)
    fit(toy_joint(toy_experiment(epochs=2, evaluate_every=2), options), world)
    with pytest.raises(ConfigError, match=r"training\.learning_rate: 0.02 there, 0.03 here"):
        fit(
            toy_joint(toy_experiment(epochs=2, evaluate_every=2, learning_rate=0.03), options),
            world,
        )


SCRIPT = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from test_resume import long_training

print(long_training(Path(sys.argv[1])))
"""


def long_training(folder: Path) -> str:
    """A hash of what it ends in."""
    options = RunOptions(folder / "log.jsonl", checkpoint=folder / "checkpoint", resume=True)
    config = toy_experiment(
        epochs=40,
        evaluate_every=2,
        patience=99,
        batch_size=20,
        checkpoint_seconds=0,
    )
    subject = fit(toy_joint(config, options), two_genre_world())
    digest = hashlib.sha256()
    for name, array in sorted(bits(subject).items()):
        digest.update(name.encode() + array)
    return digest.hexdigest()


def start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    here = Path(__file__).resolve()
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(here.parent)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (here.parents[3], here.parents[2]))),
        },
    )


def killed_soon_after_it_began_to_write(folder: Path, moments: random.Random) -> bool:
    """Start a training and end it at a random moment; whether it was not done by then."""
    document = folder / "checkpoint" / DOCUMENT
    before = document.stat().st_mtime_ns if document.exists() else 0
    with start(folder) as process:
        while process.poll() is None:
            if document.exists() and document.stat().st_mtime_ns != before:
                time.sleep(moments.uniform(0, 0.3))
                process.kill()
                break
            time.sleep(0.002)
    return process.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_killed_at_random_moments_the_weights_are_the_same_to_the_bit(tmp_path):
    whole, folder, moments = tmp_path / "whole", tmp_path / "killed", random.Random(0)
    whole.mkdir()
    expected = long_training(whole)
    kills = sum(killed_soon_after_it_began_to_write(folder, moments) for _ in range(3))
    assert kills >= 2
    with start(folder) as process:
        found = process.communicate()[0].strip()
    assert found == expected
    logs = [(path / "log.jsonl").read_text() for path in (whole, folder)]
    assert logs[0] == logs[1]
    assert len(logs[0].splitlines()) == 40
