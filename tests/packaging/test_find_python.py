"""``tools/find-python`` finds the newest Python that runs, not the newest that is called so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "find-python"
OURS = "{}.{}".format(*sys.version_info)
REFUSES = "#!/bin/sh\nexit 127\n"
RUNS = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell script")


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _found(folder: Path, *versions: str) -> subprocess.CompletedProcess[str]:
    """What is found by somebody whose programs are in ``folder``."""
    environment = {
        "PATH": os.pathsep.join([str(folder / "a b"), str(folder / "c")]),
        "HOME": str(folder),
    }
    return subprocess.run(
        ["/bin/sh", str(TOOL), *versions],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_does_not_run_does_not_count(tmp_path: Path) -> None:
    _program(tmp_path / "a b" / "python9.9", REFUSES)
    _program(tmp_path / "a b" / f"python{OURS}", REFUSES)
    second = _program(tmp_path / "c" / f"python{OURS}", RUNS)
    assert _found(tmp_path, "9.9", OURS).stdout.strip() == str(second)


def test_what_is_called_by_another_version_than_its_own_does_not_count(tmp_path: Path) -> None:
    _program(tmp_path / "a b" / "python9.9", RUNS)
    unversioned = _program(tmp_path / "a b" / "python3", RUNS)
    assert _found(tmp_path, "9.9", OURS).stdout.strip() == str(unversioned)


def test_pyenv_is_looked_into_beside_its_shims(tmp_path: Path) -> None:
    _program(tmp_path / "c" / f"python{OURS}", REFUSES)
    kept = tmp_path / ".pyenv" / "versions" / f"{OURS}.7" / "bin" / f"python{OURS}"
    _program(kept, RUNS)
    assert _found(tmp_path, OURS).stdout.strip() == str(kept)


def test_where_there_is_none_it_is_said(tmp_path: Path) -> None:
    found = _found(tmp_path)
    assert found.returncode == 1
    assert found.stdout == ""
    assert "3.13, 3.12 or 3.11" in found.stderr
    assert "PYTHON=" in found.stderr
