from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from recsys.cli.application import boundary
from recsys.engine import Engine
from recsys.errors import (
    AlignmentError,
    BundleError,
    ConfigError,
    DataError,
    MissingExtra,
    NotFittedError,
    OfflineError,
    UnknownIdError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x", hint="y"), 2),
        (MissingExtra("x", "train"), 2),
        (DataError("x", rows=["line 3"], hint="y"), 3),
        (AlignmentError("x"), 3),
        (UnknownIdError("user", "x", ["y"]), 3),
        (BundleError("x"), 4),
        (OfflineError("x"), 5),
        (NotFittedError("x"), 1),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2),
        (RuntimeError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_kind_of_error_has_its_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, boundary():
        raise error
    assert ended.value.exit_code == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err
    assert ("Traceback" in told.err) == isinstance(error, RuntimeError)


def test_a_message_is_shown_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), boundary():
        raise DataError("u.data: [b]bad[/b]", rows=["line 3: 'x'"], hint="correct it")
    assert capsys.readouterr().err == (
        "error: u.data: [b]bad[/b]\n    line 3: 'x'\n  → correct it\n"
    )


def test_a_bug_asks_to_be_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), boundary():
        raise ZeroDivisionError("division by zero")
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert told.rstrip().splitlines()[-1].startswith("error: this is a bug in recsys")


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, boundary(debug=True):
        raise BundleError("x")
    assert ended.value.exit_code == 4
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_who_stops_reading_is_no_error_of_ours() -> None:
    with pytest.raises(BrokenPipeError), boundary():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_deliberate_exit_passes() -> None:
    with pytest.raises(typer.Exit) as ended, boundary():
        raise typer.Exit(7)
    assert ended.value.exit_code == 7


def _raising(error: BaseException) -> Callable[..., None]:
    def load(path: Path) -> None:
        raise error

    return load


def test_interruption_is_one_line(run: Any, served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "load", _raising(KeyboardInterrupt()))
    result = run("recommend", "--user", "u1")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "error: interrupted\n"


def test_debug_is_an_option_before_the_verb(
    run: Any, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "load", _raising(BundleError("altered")))
    assert "Traceback" not in run("recommend", "--user", "u1").stderr
    result = run("--debug", "recommend", "--user", "u1")
    assert result.exit_code == 4
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["recommend", "--nonsense"], ["data", "x"]])
def test_usage(run: Any, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr
