"""What program made a measurement."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from recsys.evaluation.environment import commit, versions

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def repository(tmp_path):
    package = tmp_path / "repo" / "pack"
    package.mkdir(parents=True)
    (package / "a.py").write_text("1\n")
    root = package.parent

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    return package, git


@needs_git
def test_a_commit_is_marked_where_files_have_changed(repository):
    package, git = repository
    head = git("rev-parse", "HEAD").strip()
    assert commit(package) == head
    commit.cache_clear()
    (package.parent / "results.json").write_text("{}")
    assert commit(package) == head, "results are no part of the program"
    commit.cache_clear()
    (package / "a.py").write_text("2\n")
    assert commit(package) == f"{head}+"


@needs_git
def test_a_package_that_is_merely_installed_inside_a_repository_has_no_commit(repository):
    package, _ = repository
    installed = package.parent / "venv" / "pack"
    installed.mkdir(parents=True)
    assert commit(installed) is None


def test_without_git_or_repository_there_is_no_commit(tmp_path, monkeypatch):
    assert commit(tmp_path / "nowhere" / "pack") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(tmp_path / "pack") is None


def test_versions_are_of_python_the_package_and_the_libraries_that_are_there():
    assert set(versions(("numpy", "no-such-library"))) == {"python", "recsys", "numpy"}
