"""The memory of a search: an optuna study in a journal file, which survives being killed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import JsonValue

from recsys.benchmark.tuning_report import State, TrialRecord
from recsys.config.search import Choices, SearchSpace
from recsys.errors import ConfigError, DataError

JOURNAL: Final = "study.journal"
MAX_KILLED: Final = 3
"""A trial in which the process was killed so often is not tried again."""

_STATES: Final[dict[TrialState, State]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
_NAME: Final = "recsys"
_CUT_OFF: Final = "interrupted"
_KILLED: Final = f"the process was killed in this trial, {MAX_KILLED} times"
_IMPORTANCE_FROM: Final = 10


def open_study(
    folder: Path, marks: Mapping[str, str], *, resume: bool, pruner: optuna.pruners.BasePruner
) -> optuna.Study:
    """The study in a folder, or a new one.

    Args:
        folder: where the journal lies.
        marks: name to fingerprint of what must be as it was when the study began.
        resume: go on with the study that is there; trials that were cut off are queued again.
        pruner: ends trials early.

    Raises:
        ConfigError: there is a study and ``resume`` is not given, or it was begun otherwise.
        DataError: the journal cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder.resolve() / JOURNAL
    if journal.exists():
        if resume:
            _mend(journal)
        begun = bool(_load(journal, pruner).get_trials(deepcopy=False))
        if begun and not resume:
            raise ConfigError(
                f"{folder} holds a study already",
                hint="go on with it by --resume, or name another --out",
            )
        if not begun:  # it ended before its first trial, perhaps for want of the data
            journal.unlink()
    study = _load(journal, pruner)
    require_same(study, marks)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        put_back(study, trial, killed=True)
    return study


def _load(journal: Path, pruner: optuna.pruners.BasePruner) -> optuna.Study:
    try:
        storage = JournalStorage(
            JournalFileBackend(str(journal), JournalFileOpenLock(str(journal)))
        )
        if _NAME in optuna.get_all_study_names(storage):
            return optuna.load_study(study_name=_NAME, storage=storage, pruner=pruner)
        return optuna.create_study(
            study_name=_NAME, storage=storage, pruner=pruner, direction="maximize"
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{journal} is not the journal of a study: {error}", hint="name another --out"
        ) from error


def _mend(journal: Path) -> None:
    """Take away a last line that was cut off: what is appended to it could not be read."""
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("rb+") as stream:
            stream.truncate(whole)


def require_same(study: optuna.Study, marks: Mapping[str, str]) -> None:
    """Compare fingerprints with those the study began with, and note those it has not.

    Raises:
        ConfigError: one is another.
    """
    known = study.user_attrs
    for name, fingerprint in marks.items():
        if name not in known:
            study.set_user_attr(name, fingerprint)
        elif known[name] != fingerprint:
            raise ConfigError(
                f"the study was begun with another {name}: {known[name][:12]}, "
                f"now {fingerprint[:12]}",
                hint="give the same --config, --set, --space, --split, --seed and --data, or name "
                "another --out",
            )


def put_back(study: optuna.Study, trial: Trial | FrozenTrial, *, killed: bool) -> None:
    """End a trial that was cut off, and queue its values again."""
    times = trial.user_attrs.get("killed", 0) + killed
    again = times < MAX_KILLED
    if again:
        cut_off = [*study.user_attrs.get(_CUT_OFF, []), trial.number]
        study.set_user_attr(_CUT_OFF, cut_off)
    study.tell(trial.number, state=TrialState.FAIL)
    if again and trial.params:
        study.enqueue_trial(trial.params, user_attrs={"killed": times})


def suggest(trial: Trial, space: SearchSpace) -> dict[str, JsonValue]:
    """Values for every key of the space, drawn in the order of the alphabet."""
    for key, dimension in sorted(space.root.items()):
        if isinstance(dimension, Choices):
            # As text, because a choice may be a list or a section.
            trial.suggest_categorical(key, [json.dumps(choice) for choice in dimension.choices])
        elif dimension.whole:
            trial.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)
        else:
            trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)
    return values_of(trial.params, space)


def values_of(params: Mapping[str, Any], space: SearchSpace) -> dict[str, JsonValue]:
    """What the parameters of a trial stand for, in the order of the space."""
    return {
        key: json.loads(params[key]) if isinstance(dimension, Choices) else params[key]
        for key, dimension in space.root.items()
        if key in params
    }


def records(study: optuna.Study, space: SearchSpace) -> list[TrialRecord]:
    """The trials that have ended."""
    cut_off = study.user_attrs.get(_CUT_OFF, [])
    ended = study.get_trials(deepcopy=False, states=tuple(_STATES))
    return [_record(trial, space, trial.number in cut_off) for trial in ended]


def _record(trial: FrozenTrial, space: SearchSpace, cut_off: bool) -> TrialRecord:
    noted, state = trial.user_attrs, _STATES[trial.state]
    return TrialRecord(
        number=trial.number,
        state="interrupted" if cut_off else state,
        values=values_of(trial.params, space),
        score=trial.value if state == "complete" else None,
        metrics=noted.get("metrics", {}),
        best_epoch=noted.get("best_epoch"),
        seconds=noted.get("seconds"),
        reason=noted.get("reason", _KILLED if state == "failed" and not cut_off else ""),
    )


def importance(study: optuna.Study) -> dict[str, float]:
    """Which keys set good trials apart, most first; empty for few trials, and for equal ones."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _IMPORTANCE_FROM or len({trial.value for trial in complete}) == 1:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return optuna.importance.get_param_importances(study, evaluator=evaluator)
