"""Where figures come from: machine, versions, commit, seeds, budgets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from recsys.bench.contenders import CONTENDERS
from recsys.bench.document import ContenderDocument
from recsys.bench.protocols import PROTOCOLS
from recsys.bench.report.load import Measured
from recsys.bench.report.markdown import code, sections


def budget(documents: Sequence[ContenderDocument]) -> str:
    """What every contender might spend; a warning where they might not spend the same."""
    found = sorted({(d.tuning.max_trials, d.tuning.max_seconds) for d in documents})
    stated = [f"{trials} points and {seconds:,.0f} s of trials" for trials, seconds in found]
    told = (
        "Options are chosen on the valid part of the first division, by the headline metric of the "
        "first of a protocol's tasks that a contender does, and serve every run; test is never "
        "read while choosing. "
    )
    if len(stated) == 1:
        return f"{told}Every contender had the same budget: {stated[0]}."
    who = "; ".join(
        f"{text}: {code(d.contender for d in documents if _budget_of(d) == key)}"
        for key, text in zip(found, stated, strict=True)
    )
    return f"{told}**Budgets differ**, and rows with different ones are not comparable: {who}."


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
    hours = math.fsum([*trials, *spent]) / 3600
    return (
        f"{len(trials):,} trials and {len(runs):,} runs took {hours:.1f} hours of one core. "
        "Starting processes, reading data and the sanity checks come on top."
    )


def fell_short(documents: Iterable[ContenderDocument]) -> str:
    """Contenders without a single run."""
    empty = [document.contender for document in documents if not document.runs]
    return f"Without a run that was kept: {code(empty)}." if empty else ""


def missing(measured: Measured) -> str:
    """Who is left out of the protocol by its plan, and who has not been measured yet."""
    protocol = PROTOCOLS.get(measured.protocol)
    if protocol is None:
        return ""
    waiting = [
        contender.name
        for contender in CONTENDERS
        if protocol.tasks_of(contender) and contender.name not in measured.documents
    ]
    told = (
        ("Left out here, for the time they take: {}.", protocol.leaves_out),
        ("Not measured, or not yet: {}.", waiting),
    )
    return sections(*(text.format(code(names)) for text, names in told if names))


def machines(documents: Iterable[ContenderDocument]) -> str:
    """Hardware, versions and commits, each with how many documents are of it where they differ."""
    found = list(documents)
    days = sorted({document.created for document in found})
    when = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    parts = (
        ("Hardware", [_hardware(document) for document in found]),
        ("Versions", [_versions(document) for document in found]),
        ("Commit", [_commit(document) for document in found]),
        ("Data", [document.dataset[:12] for document in found]),
    )
    lines = [f"- Measured: {when}", *(f"- {title}: {_counted(v)}" for title, v in parts)]
    return "\n".join(lines) + "\n"


def _commit(document: ContenderDocument) -> str:
    commit = document.commit or "unknown"
    return commit[:12] + (" with files changed since" if commit.endswith("+") else "")


def _hardware(document: ContenderDocument) -> str:
    machine = document.hardware
    memory = "" if machine.memory_gib is None else f", {machine.memory_gib:g} GiB"
    return f"{machine.cpu}, {machine.cores} cores, {machine.threads} thread a run{memory}"


def _versions(document: ContenderDocument) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(document.versions.items()))


def _counted(values: Sequence[str]) -> str:
    distinct = sorted(set(values))
    if len(distinct) == 1:
        return distinct[0]
    return "; ".join(f"{value} ({values.count(value)} documents)" for value in distinct)
