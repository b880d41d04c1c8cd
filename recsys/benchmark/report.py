"""Every page about the benchmarks, made from their documents and nothing else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.benchmark import (
    ablation_page,
    ablations,
    checks,
    held_out_users,
    leaderboard,
    markdown,
    permutation,
    tables,
)
from recsys.benchmark.comparisons import LEVEL
from recsys.benchmark.entries import DOCUMENTED, ENTRIES, Entry, entry_named
from recsys.benchmark.leaderboard import OURS, Leaderboard, Row, leaderboards
from recsys.benchmark.metrics import SECONDARY, TASKS, Task
from recsys.benchmark.plots import plot_cost, plot_differences
from recsys.benchmark.protocols import PROTOCOLS, Protocol
from recsys.benchmark.results import ModelDocument, read
from recsys.data.files import atomic_write_text
from recsys.errors import DataError, MissingExtra

TASK_TITLES: Final[dict[Task, str]] = {
    "warm": "Ranking movies that were rated",
    "cold": "Ranking movies that nobody has rated",
    "fold-in": "Ranking for held-out users",
    "rating": "Predicting ratings",
}
QUESTIONS: Final[dict[Task, str]] = {
    "warm": "Which movies next, for users and movies with ratings?",
    "cold": "Which of the movies that nobody has rated yet?",
    "fold-in": "Which movies, for somebody who just named a few they like?",
    "rating": "How many stars would a user give?",
}


def write_report(results: Path, out: Path) -> list[Path]:
    """Write the pages, their plots, and the README's tables.

    Args:
        results: documents, ``<protocol>/<model>.json``.
        out: where the pages go, ``protocols/`` and ``plots/`` below it. A ``README.md`` beside this
            folder gets its tables if it has markers for them.

    Returns:
        What was written.

    Raises:
        DataError: there are no documents, or they cannot be used.
        MissingExtra: matplotlib or jinja2 is not installed.
    """
    documents = read(results)
    boards = leaderboards(documents)
    written = [_write(out / name, text) for name, text in pages(documents, boards, results).items()]
    for board in boards:
        for draw, kind in ((plot_cost, "cost"), (plot_differences, "differences")):
            path = out / "plots" / f"{board.protocol.name}-{board.task}-{kind}.svg"
            draw(board, path)
            written.append(path)
    readme = out.parent / "README.md"
    if readme.is_file():
        before = readme.read_text(encoding="utf-8")
        after = with_tables(before, readme_tables(documents, boards))
        written += [_write(readme, after)] if after != before else []
    return written


def pages(
    documents: Sequence[ModelDocument], boards: Sequence[Leaderboard], results: Path
) -> dict[str, str]:
    """Every page by its path within the folder of the report."""
    render = Renderer(documents, boards).render
    texts = {}
    if boards:
        texts["REPORT.md"] = render("REPORT.md.j2")
        texts["CHOOSING.md"] = render("CHOOSING.md.j2")
    for name in dict.fromkeys(board.protocol.name for board in boards):
        of_protocol = [board for board in boards if board.protocol.name == name]
        told = [d for d in documents if d.protocol == name]
        texts[f"protocols/{name}.md"] = render(
            "protocol.md.j2",
            protocol=PROTOCOLS[name],
            boards=of_protocol,
            documents=told,
            content=_content(told),
        )
    texts |= {
        name: render(f"{name}.j2", **context)
        for name, context in ablation_page.contexts(documents).items()
    }
    for name in ("alignment", "features"):
        path = results / f"{name}.json"
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            texts[f"{name.upper()}.md"] = render(f"{name.upper()}.md.j2", document=found)
    return texts


class Renderer:
    """Templates, with what they may call."""

    def __init__(self, documents: Sequence[ModelDocument], boards: Sequence[Leaderboard]) -> None:
        if find_spec("jinja2") is None:
            raise MissingExtra("jinja2", "bench")
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self.documents, self.boards = documents, boards
        self.environment: Any = Environment(
            loader=PackageLoader("recsys.benchmark"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )
        self.environment.filters |= {
            name: getattr(markdown, name)
            for name in ("aligned", "number", "seconds", "p_value", "code", "ordinal")
        }
        shown = {board.protocol.name for board in boards}
        on_boards = [d for d in documents if d.protocol in shown]
        leading = [next((b for b in boards if b.task == task), None) for task in TASKS]
        self.environment.globals |= {
            "documents": on_boards,
            "boards": boards,
            "leading": [board for board in leading if board],
            "protocol_names": sorted(shown),
            "all_documents": documents,
            "entry_named": entry_named,
            "entries_on": entries_on,
            "spread": markdown.spread,
            "TABLES": tables,
            "budgets": budgets,
            "command": command,
            "much_faster": leaderboard.is_much_faster,
            "measured_everywhere": measured_everywhere,
            "not_measured": self.not_measured,
            "place_of": place_of,
            "provenance": provenance,
            "runs_made": runs_made,
            "seeds": self.seeds,
            "took": took,
            "tuned_by_another_task": tuned_by_another_task,
            "mean_and_deviation": mean_and_deviation,
            "OURS": OURS,
            "MISSING": markdown.MISSING,
            "SECONDARY": SECONDARY,
            "LEVEL": f"{LEVEL:g}",
            "FASTER": f"{leaderboard.FASTER:g}",
            "TASK_TITLES": TASK_TITLES,
            "QUESTIONS": QUESTIONS,
            "ABLATIONS": ablations,
            "CHECKS": checks,
            "HELD_OUT": held_out_users,
            "PAGE": ablation_page,
            "PERMUTATION": permutation,
        }

    def render(self, template: str, **context: Any) -> str:
        """One page."""
        return markdown.tidied(self.environment.get_template(template).render(**context))

    def table(self, name: str, *of: Any) -> str:
        """One table by itself; see ``templates/_tables.md.j2``."""
        return str(getattr(self.environment.get_template("_tables.md.j2").module, name)(*of))

    def seeds(self, protocol: str) -> str:
        """Seeds and splits of the runs of a protocol."""
        runs = [run for d in self.documents if d.protocol == protocol for run in d.runs]
        found = sorted({run.seed for run in runs})
        whole = list(range(found[0], found[-1] + 1)) if found else []
        is_range = len(found) > 2 and found == whole
        told = f"{found[0]}–{found[-1]}" if is_range else ", ".join(map(str, found))
        return f"Seeds {told}; splits {markdown.code(sorted({run.split.name for run in runs}))}."

    def not_measured(self, protocol: Protocol) -> list[str]:
        """Models that the protocol asks, without a document."""
        there = {d.name for d in self.documents if d.protocol == protocol.name}
        return [e.name for e in ENTRIES if protocol.tasks_of(e) and e.name not in there]


def mean_and_deviation(rows: Sequence[dict[str, float]], key: str) -> str:
    """Of one figure over rows of a document."""
    values = [row[key] for row in rows]
    return markdown.spread(float(np.mean(values)), float(np.std(values, ddof=1)), 3)


def command(row: Row) -> str:
    """What trains a model with the hyper-parameters that were chosen for it."""
    tuning, entry = row.document.tuning, row.entry
    options = tuning.chosen if entry and tuning else {}
    name = json.dumps(row.name) if " " in row.name else row.name
    told = [f"--set {option}={value}" for option, value in options.items()]
    return f"`recsys train --model {' '.join([name, *told])}`"


def measured_everywhere(leading: Sequence[Leaderboard]) -> list[str]:
    """Models with a place on every board."""
    return [n for n in leading[0].names if all(n in board.names for board in leading[1:])]


def entries_on(boards: Sequence[Leaderboard]) -> list[Entry]:
    """Those with a place on some board, in their own order."""
    there = {name for board in boards for name in board.names}
    return [entry for entry in ENTRIES if entry.name in there]


def place_of(board: Leaderboard, name: str) -> str:
    """A place among all, or among those measured so far where others are planned."""
    asked = [e for e in ENTRIES if board.task in board.protocol.tasks_of(e)]
    is_whole = all(e.name in board.names for e in asked if e.family != "oracle")
    if not is_whole and len(board.rows) == 1:
        return "the only one measured"
    place, count = markdown.ordinal(board.place(name)), len(board.rows)
    return f"{place} of {count}" if is_whole else f"{place} of the {count} measured"


def tuned_by_another_task(board: Leaderboard) -> list[str]:
    """Models whose hyper-parameters were chosen by what another task is evaluated by."""
    protocol = board.protocol
    if not protocol.tunes or board.task == protocol.tasks[0]:
        return []
    found = [row.entry for row in board.rows if row.entry and len(row.entry.space) > 1]
    return [entry.name for entry in found if protocol.tasks_of(entry)[0] != board.task]


def runs_made(board: Leaderboard) -> str:
    """Who has fewer runs than planned, and of whom fewer than of others are enough."""
    runs = {row.name: row.n_runs for row in board.rows}
    plans = {
        row.name: len(board.protocol.splits_of(row.entry)) if row.entry else 0 for row in board.rows
    }
    short = [name for name, n in runs.items() if n < plans[name]]
    enough = [name for name, n in runs.items() if 0 < plans[name] <= n < max(runs.values())]
    told = []
    if enough:
        told.append(
            f"With fewer runs than others: {markdown.code(enough)}. One run a test part is enough "
            "of a model that draws nothing, where the ratings it learns from are the same for "
            "every seed."
        )
    if short:
        told.append(f"Not all of their planned runs were made yet: {markdown.code(short)}.")
    return "\n\n".join(told)


def budgets(documents: Sequence[ModelDocument]) -> dict[str, Any]:
    """What every model might spend on tuning."""
    untuned = sorted({d.protocol for d in documents if not PROTOCOLS[d.protocol].tunes})
    tuned = [(d.name, d.tuning) for d in documents if d.protocol not in untuned and d.tuning]
    found: dict[tuple[int, float], list[str]] = {}
    for name, tuning in tuned:
        allowed = (tuning.max_trials or 0, tuning.max_seconds or 0.0)
        found.setdefault(allowed, []).append(name)
    searched = (entry_named(d.name) for d in documents)
    return {
        "tuned": bool(tuned),
        "untuned": untuned,
        "searched": any(e and e.first_from != DOCUMENTED for e in searched),
        "budgets": [
            {"text": f"{n} configurations and {s:,.0f} s of trials", "names": names}
            for (n, s), names in sorted(found.items())
        ],
    }


def took(documents: Iterable[ModelDocument]) -> str:
    """Fits there are, and the hours they took."""
    found = list(documents)
    trials = [t.seconds for d in found if d.tuning for t in d.tuning.trials]
    shuffled = [d.permutation.seconds for d in found if d.permutation]
    runs = [run.metrics for d in found for run in d.runs]
    spent = [m.get(name, 0.0) for m in runs for name in ("seconds.fit", "seconds.score")]
    hours = math.fsum([*trials, *shuffled, *spent]) / 3600
    return (
        f"{len(trials):,} trials, {len(shuffled):,} permutation tests and {len(runs):,} runs "
        f"took {hours:.1f} hours of one core. "
        "Starting processes, reading data and the sanity checks come on top."
    )


def provenance(documents: Sequence[ModelDocument]) -> list[tuple[str, str]]:
    """Day, hardware, versions and commits, each with how many it is of where they differ."""
    days = sorted({document.created for document in documents})
    machines = [d.hardware for d in documents]
    told = {
        "Hardware": (
            "documents",
            [
                f"{m.cpu}, {m.cores} cores, {m.threads} thread a run"
                + ("" if m.memory_gib is None else f", {m.memory_gib:g} GiB")
                for m in machines
            ],
        ),
        "Versions at the last run": (
            "documents",
            [", ".join(f"{k} {v}" for k, v in sorted(d.versions.items())) for d in documents],
        ),
        "Commit": ("runs", [_commit(run.commit) for d in documents for run in d.runs]),
        "Data": ("documents", [d.dataset[:12] for d in documents]),
    }
    when = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    lines = [(title, _counted(values, of)) for title, (of, values) in told.items() if values]
    return [("Measured", when), *lines]


def _commit(commit: str | None) -> str:
    if commit is None:
        return "not told"
    return commit[:12] + (" with files changed since" if commit.endswith("+") else "")


def _counted(values: Sequence[str], of: str) -> str:
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return distinct[0]
    return "; ".join(f"{value} ({values.count(value)} {of})" for value in distinct)


def _content(documents: Iterable[ModelDocument]) -> str:
    """The modalities of the movies; "" where no document tells."""
    told = next((document.content for document in documents if document.content), {})
    return ", ".join(f"{name} ({share:.0%} of the movies)" for name, share in told.items())


def readme_tables(
    documents: Sequence[ModelDocument], boards: Sequence[Leaderboard]
) -> dict[str, str]:
    """The README's tables by the name in their markers."""
    table, spine = Renderer(documents, boards).table, ablation_page.of_readme(documents)
    return {
        "bench": table("readme", boards),
        "spine": table("readme_spine", *spine) if spine else "",
    }


def with_tables(readme: str, tables: dict[str, str]) -> str:
    """A README with what is between its markers replaced; one without markers is left alone.

    Raises:
        DataError: one of two markers is missing, or they are the wrong way round.
    """
    for name, text in tables.items():
        start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
        if (start not in readme and end not in readme) or not text:
            continue
        pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
        found = pattern.search(readme)
        if found is None:
            raise DataError(f"the README has no {start} that a {end} follows", hint="put both back")
        readme = f"{readme[: found.start()]}{start}\n{text}{end}{readme[found.end() :]}"
    return readme


def _write(path: Path, text: str) -> Path:
    atomic_write_text(path, text)
    return path
