"""Sentences and verdicts, from tests and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from multitask_plan import CONTENT_KNN, NDCG, ONE_SIGMA, RMSE, Protocol
from multitask_tables import (
    Metric,
    Run,
    Tested,
    markdown,
    mean,
    number,
    present,
    ratio,
    series,
    tests,
)
from multitask_variants import GRID, OPTIONS, SINGLE, USER_OPTIONS

FIT_SECONDS, U1_RMSE, OVER_CONTENT_KNN, COVERAGE_POINTS = 120.0, 0.915, 1.5, 0.02
INTERVALS = {"rating.pit_50": 0.5, "rating.pit_80": 0.8, "rating.pit_90": 0.9}
LEVEL_NLL = Metric("level NLL", "rating.level_nll", higher=False)

CANDIDATES = tuple(variant.name for variant in (*GRID, *OPTIONS, *USER_OPTIONS))
"""What the best of a protocol is chosen from: all modalities and all tasks, with options."""

SINGLES = tuple(variant.name for variant in SINGLE)


def sentences(tested: Sequence[Tested]) -> str:
    """What is shown, a bullet a comparison, and then of which nothing is."""
    by_label: dict[str, list[Tested]] = {}
    for test in tested:
        by_label.setdefault(test.label, []).append(test)
    shown = {n: found for n, found in by_label.items() if any(test.shown for test in found)}
    bullets = [f"- {label}: {_verdicts(found)}.\n" for label, found in shown.items()]
    nothing: dict[str, list[str]] = {}
    for label in [name for name in by_label if name not in shown]:
        found = by_label[label]
        nothing.setdefault(_titles(found), []).append(f"{label} ({_bound(found)})")
    bullets += [f"- No difference shown in {m}: {'; '.join(n)}.\n" for m, n in nothing.items()]
    return "".join(bullets)


def _titles(tested: Sequence[Tested]) -> str:
    return ", ".join(test.metric.title for test in tested)


def _verdicts(tested: Sequence[Tested]) -> str:
    parts = [
        _listed("better in", [t for t in tested if t.better]),
        _listed("worse in", [t for t in tested if t.shown and not t.better]),
    ]
    unshown = [t for t in tested if not t.shown]
    if unshown:
        parts.append(f"no difference shown in {_titles(unshown)} ({_bound(unshown)})")
    return "; ".join(part for part in parts if part)


def _bound(tested: Sequence[Tested]) -> str:
    return f"p {'≥' if len(tested) > 1 else '='} {number(min(t.p for t in tested))}"


def _listed(verdict: str, tested: Iterable[Tested]) -> str:
    names = [
        f"{t.metric.title} by {abs(t.difference):.{t.metric.digits}f} (p = {number(t.p)})"
        for t in tested
    ]
    return f"{verdict} {', '.join(names)}" if names else ""


def headline(protocol: Protocol) -> Metric:
    """The metric a protocol's best variant is asked for."""
    if protocol.headline == RMSE:
        return Metric("RMSE", f"rating.{RMSE}", higher=False)
    return Metric("NDCG@10", f"ranking.{NDCG}")


def chosen(runs: Sequence[Run], protocol: Protocol, models: Iterable[str]) -> str | None:
    """The model that is best on valid, over the runs that all of the models have."""
    there = present(runs, models)
    found = {name: series(runs, [name], f"valid.{protocol.headline}") for name in there}
    seeds = set.intersection(*(set(values) for values in found.values())) if found else set()
    sign = 1 if headline(protocol).higher else -1
    scores = {n: sign * sum(values[seed] for seed in seeds) for n, values in found.items()}
    return max(scores, key=lambda name: scores[name]) if seeds else None


@dataclass(frozen=True)
class Claim:
    """Something that can be held against the results."""

    text: str
    measured: str
    holds: bool


def claims(runs: dict[str, list[Run]], protocols: dict[str, Protocol]) -> str:
    """A table of what is claimed; what was not measured is not in it."""
    found = [*_speed(runs["ml-ro"])]
    for name, protocol in protocols.items():
        best = chosen(runs[name], protocol, CANDIDATES)
        if best is not None and protocol.headline == RMSE:
            found += _stars(runs[name], best)
        if best is not None and protocol.is_cold:
            found += _cold(runs[name], protocol, best)
    if not found:
        return ""
    rows = [[claim.text, claim.measured, "yes" if claim.holds else "**no**"] for claim in found]
    return markdown(["", "measured", "holds"], rows)


def _speed(runs: Sequence[Run]) -> list[Claim]:
    seconds = {v.name: mean(runs, v.name, "seconds.fit") for v in GRID}
    seconds = {name: value for name, value in seconds.items() if np.isfinite(value)}
    if not seconds:
        return []
    slowest = max(seconds, key=lambda name: seconds[name])
    return [
        Claim(
            f"MovieLens-100K is learnt within {FIT_SECONDS:.0f} s, by each of {len(seconds)}",
            f"{seconds[slowest]:.0f} s, {slowest}, one thread",
            seconds[slowest] <= FIT_SECONDS,
        )
    ]


def _stars(runs: Sequence[Run], best: str) -> list[Claim]:
    rmse = mean(runs, best, "rating.rmse")
    covered = {p: series(runs, [best], p).values() for p in INTERVALS}
    off = {p: max((v - INTERVALS[p] for v in found), key=abs) for p, found in covered.items()}
    worst = max(off, key=lambda path: abs(off[path]))
    found = [
        Claim(f"RMSE on u1 at most {U1_RMSE}", f"{rmse:.4f}, {best}", rmse <= U1_RMSE),
        Claim(
            "50, 80 and 90 % intervals cover within 2 points (randomised PIT, u1), with every seed",
            f"furthest off: {worst.rpartition('_')[2]} % by {100 * off[worst]:+.1f} points, {best}",
            abs(off[worst]) <= COVERAGE_POINTS,
        ),
    ]
    for test in tests(runs, {"": ((best,), (best + ONE_SIGMA,))}, [LEVEL_NLL]):
        text = f"{test.difference:+.4f} (p {number(test.p)}), {best}"
        found.append(Claim("NLL below that of one σ for all (u1)", text, test.better))
    return found


def _cold(runs: Sequence[Run], protocol: Protocol, best: str) -> list[Claim]:
    metric, found = headline(protocol), []
    for kind, names in CONTENT_KNN.items():
        rival = chosen(runs, protocol, names)
        if rival is not None:
            times = ratio(runs, best, rival, metric.path)
            text = f"cold {metric.title} at least {OVER_CONTENT_KNN} times the {kind} content kNN's"
            measured = f"{times:.2f} times {rival}, {best}"
            found.append(Claim(f"{text} ({protocol.name})", measured, times >= OVER_CONTENT_KNN))
    pairs = {name: ((best,), (name,)) for name in present(runs, SINGLES)}
    single = tests(runs, pairs, [metric])
    if single:
        closest = min(single, key=lambda test: test.difference)
        text = f"cold {metric.title} above that of each modality alone ({protocol.name})"
        p = max(test.p for test in single)
        measured = f"{closest.difference:+.4f} to {closest.label}, largest p {number(p)}, {best}"
        found.append(Claim(text, measured, all(test.better for test in single)))
    return found
