from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta

import pytest
from recsys.benchmark.origin import commit, versions
from recsys.benchmark.planning import Rules, plan
from recsys.benchmark.progress import Progress

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


def test_versions_are_of_what_contenders_come_from():
    assert {"python", "recsys", "numpy", "scipy"} <= set(versions())


def test_time_left_is_guessed_from_like_fits(toys, protocol_of, tmp_path):
    rules = Rules(tmp_path, registry="bench_toys")
    protocols = [protocol_of(), protocol_of("leave-last")]
    standings, _ = plan(protocols, ["plain", "drawn"], rules, lambda *_: None)
    plain, drawn, plain_later, drawn_later = standings
    progress = Progress(standings, workers=2)
    assert "left" not in progress.line("x"), "nothing is known yet"
    progress.add(plain, 10)
    assert progress.left() == 16 * 10 / 2
    progress.add(drawn, 100)
    assert progress.left() == (8 * 10 + 8 * 100) / 2, "by contender, under other protocols too"
    progress.add(plain_later, 40)
    assert progress.left() == (4 * 10 + 4 * 40 + 8 * 100) / 2, "by its own, where there are some"
    drawn_later.failure = "x"
    assert progress.left() == (4 * 10 + 4 * 40 + 4 * 100) / 2
    assert str(timedelta(seconds=300)) in progress.line("x")
    assert progress.line("x").startswith("[3/")
