"""What is to be measured, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recsys.benchmark.contender import Contender
from recsys.benchmark.grounds import Material, located
from recsys.benchmark.job import REGISTRY, contenders
from recsys.benchmark.protocols import Protocol
from recsys.benchmark.standing import Standing, file_name
from recsys.benchmark.tuning import Budget
from recsys.errors import DataError, RecsysError

Say = Callable[[str], None]
"""Takes a line of progress."""


@dataclass(frozen=True)
class Rules:
    """How a benchmark is run.

    Attributes:
        results: folder of the documents, one folder a protocol.
        budget: of every contender's tuning.
        workers: processes at a time.
        max_hours: no process is started after so many; None for no bound.
        registry: module that holds the contenders.
    """

    results: Path
    budget: Budget = field(default_factory=Budget)
    workers: int = 2
    max_hours: float | None = None
    registry: str = REGISTRY


def plan(
    protocols: Sequence[Protocol], names: Sequence[str] | None, rules: Rules, say: Say
) -> tuple[list[Standing], list[str]]:
    """What is to be measured, and what cannot be.

    A protocol's data is read once, so that whatever has to be encoded is encoded before anything
    is measured.
    """
    found: list[Standing] = []
    failures: list[str] = []
    wanted = _available(names, rules, say)
    for protocol in protocols:
        asked = [contender for contender in wanted if protocol.tasks_of(contender)]
        try:
            here = located(protocol)
        except DataError as error:
            say(f"{protocol.name}: passed over: {error}")
            continue
        if here.bases != protocol.bases[:1]:
            say(f"{protocol.name}: movies as {here.bases[0]} describes them, for want of more")
        for contender in asked:
            try:
                found.append(_standing(contender, here, rules))
            except RecsysError as error:
                failures.append(f"{here.name} {contender.name}: {error}")
    return _measurable(found, failures, say), failures


def _available(names: Sequence[str] | None, rules: Rules, say: Say) -> list[Contender]:
    """Those that are asked for and can be made."""
    known = contenders(rules.registry)
    wanted = [known[name] for name in known if names is None or name in names]
    for contender in wanted:
        if not contender.is_available:
            say(f"{contender.name}: passed over: no {contender.requires} here")
    return [contender for contender in wanted if contender.is_available]


def _standing(contender: Contender, protocol: Protocol, rules: Rules) -> Standing:
    path = rules.results / protocol.name / f"{file_name(contender.name)}.json"
    return Standing(contender, protocol, rules.budget, path, rules.registry)


def _measurable(standings: Sequence[Standing], failures: list[str], say: Say) -> list[Standing]:
    """Those that can be measured, or are already."""
    modalities: dict[str, Collection[str] | None] = {}
    kept: list[Standing] = []
    for standing in standings:
        protocol, contender = standing.protocol, standing.contender
        if not standing.units():
            kept.append(standing)
            continue
        if protocol.name not in modalities:
            modalities[protocol.name] = _modalities(protocol, failures)
        has = modalities[protocol.name]
        if has is None:
            continue
        if contender.modality is None or contender.modality in has:
            kept.append(standing)
        else:
            say(f"{protocol.name} {contender.name}: passed over: no {contender.modality} here")
    return kept


def _modalities(protocol: Protocol, failures: list[str]) -> Collection[str] | None:
    """What movies have; None where the data cannot be used, which is noted among the failures."""
    try:
        return Material.of(protocol).catalogue.modalities
    except RecsysError as error:
        failures.append(f"{protocol.name}: {error}")
        return None
