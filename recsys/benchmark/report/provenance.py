"""Where figures come from: machine, versions, commit, seeds, budgets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from recsys.benchmark.contender import DOCUMENTED, Contender, Task
from recsys.benchmark.contenders import CONTENDERS
from recsys.benchmark.document import ContenderDocument
from recsys.benchmark.protocols import PROTOCOLS, Protocol
from recsys.benchmark.report.load import Measured
from recsys.benchmark.report.markdown import code, sections

_CHOSEN = (
    "Options are chosen on the valid part of the first division, by the headline metric of the "
    "first of a protocol's tasks that a contender does, and serve every run; the test part of that "
    "division is never read while choosing."
)
_UNTUNED = "nothing is tuned: the first point of every space is taken."
_SEARCHED = (
    "The first points of some are not their documentation's, but come from an earlier search on "
    "valid, which is not in the budget: the table on the page of a protocol names it."
)


def listed(name: str) -> Contender | None:
    """The contender of a name; None where it takes part no more."""
    return next((contender for contender in CONTENDERS if contender.name == name), None)


def rules_of(name: str) -> Protocol:
    """The protocol of a name; one that is not listed is taken to tune and divide as most do."""
    return PROTOCOLS.get(name) or Protocol(name, name, tasks=(), folds=(), bases=())


def planned(name: str, task: Task | None = None) -> list[Contender]:
    """Those whom a protocol asks anything, or a task of it."""
    asked = ((contender, rules_of(name).tasks_of(contender)) for contender in CONTENDERS)
    return [contender for contender, tasks in asked if (task in tasks if task else tasks)]


def budget(documents: Sequence[ContenderDocument]) -> str:
    """What every contender might spend; a warning where they might not spend the same."""
    untuned = {d.protocol for d in documents if not rules_of(d.protocol).tunes}
    tuned = [d for d in documents if d.protocol not in untuned]
    if not tuned:
        return f"{_UNTUNED.capitalize()} {_searched(documents)}".strip()
    apart = f"Under {code(sorted(untuned))} {_UNTUNED}" if untuned else ""
    return " ".join(t for t in (_CHOSEN, _allowed(tuned), _searched(documents), apart) if t)


def _allowed(documents: Sequence[ContenderDocument]) -> str:
    found = sorted({_budget_of(document) for document in documents})
    stated = [f"{trials} points and {seconds:,.0f} s of trials" for trials, seconds in found]
    if len(stated) == 1:
        return f"Every contender had the same budget here: {stated[0]}."
    who = "; ".join(
        f"{text}: {code(d.contender for d in documents if _budget_of(d) == key)}"
        for key, text in zip(found, stated, strict=True)
    )
    return f"**Budgets differ**, and rows with different ones are not comparable: {who}."


def _searched(documents: Iterable[ContenderDocument]) -> str:
    """Says so where a search did not begin with what documentation says."""
    found = (listed(document.contender) for document in documents)
    return _SEARCHED if any(c and c.first_point != DOCUMENTED for c in found) else ""


def _budget_of(document: ContenderDocument) -> tuple[int, float]:
    return document.tuning.max_trials, document.tuning.max_seconds


def seeds(measured: Measured) -> str:
    """Seeds and divisions of the runs."""
    found = sorted({run.seed for run in measured.runs})
    names = sorted({run.split.name for run in measured.runs})
    return f"Seeds {_ranges(found)}; divisions {code(names)}."


def _ranges(values: Sequence[int]) -> str:
    """Seeds as they are written: ``2020–2029``, or one by one where some are left out."""
    whole = list(range(values[0], values[-1] + 1)) if values else []
    if len(values) > 2 and list(values) == whole:
        return f"{values[0]}–{values[-1]}"
    return ", ".join(map(str, values))


def took(documents: Iterable[ContenderDocument]) -> str:
    """Fits there are, and the hours they took."""
    found = list(documents)
    trials = [trial.seconds for document in found for trial in document.tuning.trials]
    runs = [run.row.seconds for document in found for run in document.runs]
    spent = [part or 0.0 for seconds in runs for part in (seconds.fit, seconds.score)]
    null = [document.null.seconds for document in found if document.null]
    hours = math.fsum([*trials, *null, *spent]) / 3600
    return (
        f"{len(trials):,} trials, {len(null):,} fits to shuffled ratings and {len(runs):,} runs "
        f"took {hours:.1f} hours of one core. "
        "Starting processes, reading data and the sanity checks come on top."
    )


def fell_short(documents: Iterable[ContenderDocument]) -> str:
    """Contenders without a single run."""
    empty = [document.contender for document in documents if not document.runs]
    return f"Without a run that was kept: {code(empty)}." if empty else ""


def missing(measured: Measured) -> str:
    """Who is left out of the protocol by its plan, and who has not been measured yet."""
    waiting = [c.name for c in planned(measured.protocol) if c.name not in measured.documents]
    told = (
        ("Left out here, for the time they take: {}.", rules_of(measured.protocol).leaves_out),
        ("Not measured, or not yet: {}.", waiting),
    )
    return sections(*(text.format(code(names)) for text, names in told if names))


def tuned_otherwise(protocol: str, task: Task, names: Iterable[str]) -> str:
    """Whose options were chosen by what another task of the protocol is judged by."""
    rules = rules_of(protocol)
    if not rules.tunes or task not in rules.tasks or task == rules.tasks[0]:
        return ""
    found = ((name, listed(name)) for name in names)
    others = [
        name
        for name, contender in found
        if contender and len(contender.space) > 1 and rules.tasks_of(contender)[0] != task
    ]
    by = rules.headline.name.upper()
    return f"Options of {code(others)} were chosen by {by} here, not by this." if others else ""


def runs_made(protocol: str, runs: Mapping[str, int]) -> str:
    """Who has fewer runs than planned, and of whom fewer than of others are enough.

    Args:
        protocol: its name.
        runs: of each contender.
    """
    plans = {name: _n_planned(protocol, name) for name in runs}
    short = [name for name, n in runs.items() if n < plans[name]]
    enough = [name for name, n in runs.items() if 0 < plans[name] <= n < max(runs.values())]
    told = (
        (
            "With fewer runs than others: {}. One run a test part is enough of a model that draws "
            "nothing, where the ratings it learns from are the same for every seed.",
            enough,
        ),
        ("Not all of their planned runs were made yet: {}.", short),
    )
    return sections(*(text.format(code(names)) for text, names in told if names))


def _n_planned(protocol: str, name: str) -> int:
    """Runs that a contender is to have; 0 where nobody knows."""
    contender = listed(name)
    return len(rules_of(protocol).cells_of(contender)) if contender else 0


def machines(documents: Iterable[ContenderDocument]) -> str:
    """Hardware, versions and commits, each with how many documents are of it where they differ."""
    found = list(documents)
    days = sorted({document.created for document in found})
    when = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    parts = (
        ("Hardware", "documents", [_hardware(document) for document in found]),
        ("Versions at the last run", "documents", [_versions(document) for document in found]),
        ("Commit", "runs", [_commit(run.commit) for d in found for run in d.runs]),
        ("Data", "documents", [document.dataset[:12] for document in found]),
    )
    lines = [f"- {title}: {_counted(values, of)}" for title, of, values in parts if values]
    return "\n".join([f"- Measured: {when}", *lines]) + "\n"


def _commit(commit: str | None) -> str:
    if commit is None:
        return "not told"
    return commit[:12] + (" with files changed since" if commit.endswith("+") else "")


def _hardware(document: ContenderDocument) -> str:
    machine = document.hardware
    memory = "" if machine.memory_gib is None else f", {machine.memory_gib:g} GiB"
    return f"{machine.cpu}, {machine.cores} cores, {machine.threads} thread a run{memory}"


def _versions(document: ContenderDocument) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(document.versions.items()))


def _counted(values: Sequence[str], of: str) -> str:
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return distinct[0]
    return "; ".join(f"{value} ({values.count(value)} {of})" for value in distinct)
