from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from documents import REPOSITORY, run_python_of

from recsys.cli.main import make_app
from recsys.models import MODELS

README = REPOSITORY / "README.md"
COMMAND = re.compile(r"^(?:\.venv/bin/)?((?:recsys|recommend) .+)$", re.M)


@pytest.mark.ml100k
def test_the_python_of_the_readme_runs_and_prints_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_python_of(README, monkeypatch, tmp_path)


@pytest.mark.ml100k
def test_the_python_of_the_guide_runs_and_its_own_model_keeps_the_contract(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    defined: Any = run_python_of(REPOSITORY / "docs/python.md", monkeypatch, tmp_path)
    contract = defined["TestDampedMean"]()
    tests = [name for name in dir(contract) if name.startswith("test_")]
    assert len(tests) > 15
    for name in tests:
        getattr(contract, name)()


def test_the_readme_counts_the_models() -> None:
    assert f"**{len(MODELS)} models behind one interface**" in README.read_text(encoding="utf-8")


def test_the_first_python_of_the_readme_is_ten_lines() -> None:
    first = README.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert len([line for line in first.splitlines() if line.strip()]) == 10


@pytest.mark.parametrize("document", ["README.md", "docs/features.md", "docs/tuning.md"])
def test_every_command_line_of_a_document_has_known_verbs_and_options(document: str) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))
    lines = COMMAND.findall(shell)
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)
        verbs = words[1:] if words[0] == "recsys" else words
        command: Any = typer.main.get_command(make_app())
        while hasattr(command, "commands"):
            assert verbs[0] in command.commands, line
            command, verbs = command.commands[verbs[0]], verbs[1:]
        known = {option for param in command.params for option in param.opts}
        assert {word for word in verbs if word.startswith("--")} <= known, line


def test_figures_in_the_text_of_the_readme_are_those_of_the_guide() -> None:
    text = README.read_text(encoding="utf-8")
    section = text.split("## How good it is")[1].split("<!-- spine:start -->")[0]
    guide = (REPOSITORY / "benchmarks/CHOOSING.md").read_text(encoding="utf-8")
    figures = re.findall(r"0\.\d{4}", section)
    assert figures
    assert [figure for figure in figures if figure not in guide] == []


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CONTRIBUTING.md",
        *(f"docs/{p.name}" for p in (REPOSITORY / "docs").glob("*.md")),
    ],
)
def test_links_to_files_of_the_repository_lead_somewhere(document: str) -> None:
    page = REPOSITORY / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
