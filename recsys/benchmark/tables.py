"""The tables of the leaderboards' pages, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from recsys.benchmark.comparisons import Comparison
from recsys.benchmark.entries import ENTRIES, Entry, entry_named
from recsys.benchmark.leaderboard import OURS, Leaderboard, Row
from recsys.benchmark.markdown import MISSING, number, p_value, seconds, spread, table
from recsys.benchmark.metrics import FIT_SECONDS, SCORE_SECONDS, SECONDARY, Metric
from recsys.benchmark.results import ModelDocument, Run, Tuning
from recsys.benchmark.spaces import HyperParameters, Value

AGREEMENT: Final = 1e-6
ANCHOR_PROTOCOL, TUNED_PROTOCOL = "recbole-2020", "ml-ro"
ANCHOR_SEED: Final = 2020
ANCHOR_TOLERANCE: Final = 0.005
ANCHORS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "EASE": 0.330,
        "ADMMSLIM": 0.330,
        "RecVAE": 0.324,
        "SLIMElastic": 0.324,
        "LightGCN": 0.300,
        "BPR": 0.292,
    }
)
"""NDCG@10 on test of RecBole 1.2.1's own split of MovieLens-100K, seed 2020, by RecBole itself."""

UP, DOWN = " ↑", " ↓"
_ORIGINS: Final = {
    "ours": "ours",
    "construction": "a construction of ours",
    "paper": "published, our code",
    "library": "library",
    "reference": "",
}
_PERMUTATION: Final = {
    "ndcg@10": ("NDCG@10", 4),
    "others": ("of others", 4),
    "personal": ("t", 1),
    "chance": ("chance", 4),
    "deviations": ("z", 1),
    "explained": ("ratings explained", 3),
}


@dataclass(frozen=True)
class Tables:
    """What the templates of the pages call.

    Attributes:
        documents: of all protocols.
    """

    documents: Sequence[ModelDocument]

    def glance(self, boards: Iterable[Leaderboard]) -> str:
        """A row a protocol and task."""
        rows = [
            [
                f"[{b.protocol.name}](protocols/{b.protocol.name}.md)",
                b.task,
                _named(b, b.best),
                *ours_and_baseline(b),
                _named(b, b.published),
                str(len(b.rows)),
            ]
            for b in boards
        ]
        head = ["protocol", "task", "best", OURS, "best baseline", "difference", "shown"]
        return table([*head, "best published", "models"], rows)

    def overview(self, board: Leaderboard) -> str:
        """Headline, cost and our model's difference, a model a row."""
        shown = (board.headline, *SECONDARY[board.task])
        rows = []
        for row in board.rows:
            found = board.versus(OURS, row.name)
            rows.append(
                [
                    row.name,
                    *(_figure(board, row, metric) for metric in shown),
                    seconds(row.fit),
                    number(row.over_runs("peak_mib"), 0),
                    f"{found.difference:+.4f}" if found else MISSING,
                    found.verdict if found else MISSING,
                ]
            )
        head = ["model", *(m.title for m in shown), "fit, s", "peak MiB"]
        return table([*head, f"{OURS} minus it", f"{OURS} is"], rows)

    def quality(self, board: Leaderboard, rows: Iterable[Row]) -> str:
        """Mean ± standard deviation over the test parts of each model, the best first."""
        body = [
            [
                row.name,
                row.document.family,
                *(_figure(board, row, metric) for metric in board.metrics),
                str(row.n_runs),
            ]
            for row in rows
        ]
        return table(["model", "family", *(m.title for m in board.metrics), "runs"], body)

    def partial(self, board: Leaderboard) -> str:
        """Models with figures of some test parts only."""
        rows = [
            [row.name, spread(row.mean, row.spread), f"{row.n_parts} of {len(board.parts)}"]
            for row in board.partial
        ]
        return table(["model", board.headline.title, "test parts"], rows)

    def differences(self, comparisons: Iterable[Comparison]) -> str:
        """One model against others: difference, interval over users, corrected p-values."""
        rows = [
            [
                c.second,
                f"{c.difference:+.4f}",
                MISSING if c.interval is None else "{:+.4f} … {:+.4f}".format(*c.interval),
                p_value(c.t_p),
                p_value(c.wilcoxon_p),
                f"{c.n} {c.unit}",
                c.verdict,
            ]
            for c in comparisons
        ]
        head = ["against", "difference", "95 % over users", "p, t", "p, Wilcoxon", "pairs", "shown"]
        return table(head, rows)

    def cost(self, documents: Iterable[ModelDocument]) -> str:
        """What a run costs: mean seconds and memory of the runs, numbers learnt."""
        rows = [
            [
                document.name,
                seconds(_mean(document, FIT_SECONDS)),
                seconds(_mean(document, SCORE_SECONDS)),
                number(_mean(document, "peak_mib"), 0),
                number(_mean(document, "parameters"), 0),
            ]
            for document in documents
            if document.runs
        ]
        return table(["model", "fit, s", "score all users, s", "peak MiB", "parameters"], rows)

    def tuning(self, documents: Iterable[ModelDocument]) -> str:
        """How the hyper-parameters of each model were chosen."""
        rows = [
            [
                document.name,
                f"`{chosen}`" if (chosen := _chosen(document.name, found)) else "nothing to choose",
                _first_from(document.name),
                _tried(found),
                seconds(math.fsum(trial.seconds for trial in found.trials)),
                _on_valid(found),
                str(found.seed),
            ]
            for document in documents
            if (found := document.tuning)
        ]
        head = ["model", "chosen", "first configuration from", "tried", "seconds", "on valid"]
        return table([*head, "seed"], rows)

    def failures(self, documents: Iterable[ModelDocument]) -> str:
        """Which configurations of a search failed, and why: each reason once."""
        rows = []
        for document in documents:
            reasons: dict[str, int] = {}
            for trial in document.tuning.trials if document.tuning else ():
                if trial.failure:
                    first_line = trial.failure.splitlines()[0]
                    reasons[first_line] = reasons.get(first_line, 0) + 1
            rows += [[document.name, str(n), reason] for reason, n in reasons.items()]
        return table(["model", "configurations", "why"], rows)

    def checks(self, documents: Iterable[ModelDocument]) -> str:
        """The sanity checks of all runs: smallest and largest value of each."""
        found: dict[str, list[float]] = {}
        for document in documents:
            for run in document.runs:
                for name, value in run.checks.items():
                    found.setdefault(name, []).append(value)
        rows = [
            [f"`{name}`", f"{min(values):.4g}", f"{max(values):.4g}", str(len(values))]
            for name, values in sorted(found.items())
        ]
        return table(["check", "smallest", "largest", "runs"], rows)

    def permutation_tests(self, documents: Iterable[ModelDocument]) -> str:
        """What fits to shuffled ratings came to."""
        rows = [
            [
                document.name,
                *(
                    number(document.permutation.checks.get(key, math.nan), digits)
                    for key, (_, digits) in _PERMUTATION.items()
                ),
            ]
            for document in documents
            if document.permutation
        ]
        return table(["model", *(title for title, _ in _PERMUTATION.values())], rows)

    def references(self, protocol: str) -> str:
        """Our evaluator beside the libraries' own; "" where none has one."""
        rows = []
        for document in self._of(protocol):
            found = [(run, shared) for run in document.runs if (shared := _shared(run))]
            if found:
                largest = max(abs(run.reference[n] - v) for run, s in found for n, v in s.items())
                names = sorted({name for _, shared in found for name in shared})
                agrees = "yes" if largest <= AGREEMENT else "**no**"
                told = [", ".join(names), str(len(found)), f"{largest:.1e}", agrees]
                rows.append([document.name, *told])
        head = ["model", "figures", "runs", "largest difference", f"within {AGREEMENT:g}"]
        return table(head, rows)

    def anchors(self) -> str:
        """RecBole's models on RecBole's split beside the figures they are known by."""
        if not self._of(ANCHOR_PROTOCOL):
            return ""
        head = ["RecBole's", "known", "measured", "training seeds", "by RecBole alone"]
        more = ["difference", f"within {ANCHOR_TOLERANCE:g}", "tuned on valid"]
        return table([*head, *more], [self._anchor(*anchor) for anchor in ANCHORS.items()])

    def _anchor(self, model: str, known: float) -> list[str]:
        runs, tuned = (
            [
                run
                for document in self._of(protocol)
                if document.name == f"{model} (RecBole)"
                for run in document.runs
                if run.split.seed == ANCHOR_SEED
            ]
            for protocol in (ANCHOR_PROTOCOL, TUNED_PROTOCOL)
        )
        last = number(_mean_of(run.metric("ranking.ndcg@10") for run in tuned))
        if not runs:
            return [model, f"{known:.3f}", "not measured", *[MISSING] * 4, last]
        values = [run.metric("ranking.ndcg@10") for run in runs]
        mean = _mean_of(values)
        alone = _mean_of(run.reference.get("native/ndcg@10", math.nan) for run in runs)
        verdict = "**no**" if abs(mean - known) > ANCHOR_TOLERANCE else "yes"
        told = [number(mean), ", ".join(map(number, values)), number(alone), f"{mean - known:+.4f}"]
        return [model, f"{known:.3f}", *told, verdict, last]

    def models(self, boards: Iterable[Leaderboard]) -> str:
        """What each model of the leading boards is, and what it is told besides ratings."""
        there = {name for board in boards for name in board.names}
        found = [e for e in ENTRIES if e.name in there]
        rows = [[entry.name, _ORIGINS[entry.origin], _what(entry), _told(entry)] for entry in found]
        return table(["model", "whose", "what it is", "told besides ratings"], rows)

    def readme(self, boards: Iterable[Leaderboard]) -> str:
        """A row a protocol and task: our model, the best baseline, and what is shown."""
        rows = []
        for b in boards:
            fit = [seconds(row.fit) if row else MISSING for row in (b.ours, b.baseline)]
            name = f"[{b.protocol.title}](benchmarks/protocols/{b.protocol.name}.md)"
            rows.append([name, b.headline.title, *ours_and_baseline(b), " / ".join(fit)])
        head = ["protocol", "", f"`{OURS}`", "best baseline", "difference", "shown", "fit, s"]
        return table(head, rows)

    def _of(self, protocol: str) -> list[ModelDocument]:
        return [d for d in self.documents if d.protocol == protocol]


def _figure(board: Leaderboard, row: Row, metric: Metric) -> str:
    return spread(*board.figure(row, metric), metric.digits)


def _named(board: Leaderboard, row: Row | None) -> str:
    return f"{row.name} {number(row.mean, board.headline.digits)}" if row else MISSING


def ours_and_baseline(board: Leaderboard) -> list[str]:
    """Our figure, the best baseline's, the difference, and what is shown of it."""
    ours, found = board.ours, board.our_difference
    mine = _figure(board, ours, board.headline) if ours else MISSING
    theirs = _named(board, board.baseline)
    if found is None:
        return [mine, theirs, MISSING, MISSING]
    unshown = found.verdict == "no difference shown"
    said = found.verdict if unshown else f"{OURS} {found.verdict}"
    return [mine, theirs, f"{found.difference:+.4f}", said]


def _mean(document: ModelDocument, metric: str) -> float:
    return _mean_of(run.metric(metric) for run in document.runs)


def _mean_of(values: Iterable[float]) -> float:
    found = [value for value in values if not math.isnan(value)]
    return float(np.mean(found)) if found else math.nan


def _what(entry: Entry) -> str:
    """What a model is, and whose."""
    reference = f" ({entry.facts.reference})" if entry.facts.reference else ""
    alone = f", on {entry.modality} alone" if entry.modality else ""
    return f"{entry.facts.summary}{reference}{alone}"


def _told(entry: Entry) -> str:
    """Of content, users and times."""
    return ", ".join(_sorts(entry)) or MISSING


def _sorts(entry: Entry) -> Iterator[str]:
    facts = entry.facts
    if facts.reads_content:
        yield "content"
    if facts.reads_genres:
        yield "genres"
    if facts.uses_user_features:
        yield "user features"
    if facts.uses_timestamps:
        yield "the day of the rating asked for"


def _chosen(name: str, tuning: Tuning) -> str:
    """The chosen hyper-parameters, as ``name=value``, those at the end of their range marked."""
    entry = entry_named(name)
    # Where nothing was tried nothing was chosen: the first one is where its documentation put it.
    space = entry.space if entry and tuning.trials else ()
    return ", ".join(f"{key}={v}{_end_of(space, key, v)}" for key, v in tuning.chosen.items())


def _end_of(space: Iterable[HyperParameters], name: str, value: Value) -> str:
    """An arrow where a number is the largest or smallest of three or more; "" otherwise."""
    offered = {point[name] for point in space if name in point}
    numbers = [v for v in offered if isinstance(v, int | float) and not isinstance(v, bool)]
    if value not in numbers or len(numbers) < 3:
        return ""
    return UP if value == max(numbers) else DOWN if value == min(numbers) else ""


def _first_from(name: str) -> str:
    """Where the search began; a dash where there was nothing to search, or nobody knows."""
    entry = entry_named(name)
    return MISSING if entry is None or len(entry.space) == 1 else entry.first_from


def _tried(tuning: Tuning) -> str:
    failed = sum(trial.score is None for trial in tuning.trials)
    tried = f"{len(tuning.trials)} of {tuning.n_configurations}"
    return f"{tried}, {failed} failed" if failed else tried


def _on_valid(tuning: Tuning) -> str:
    scores = [
        abs(trial.score)
        for trial in tuning.trials
        if trial.hyper_parameters == tuning.chosen and trial.score is not None
    ]
    return number(scores[0]) if scores else MISSING


def _shared(run: Run) -> dict[str, float]:
    """Our figures of which the library has its own."""
    ours = {name.partition(".")[2]: v for name, v in run.metrics.items() if name[0] == "r"}
    return {name: value for name, value in ours.items() if name in run.reference}
