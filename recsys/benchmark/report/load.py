"""What was measured, read from the documents of one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.benchmark.document import ContenderDocument, Run
from recsys.errors import DataError

FIXED_TESTS = frozenset({"u1", "u2", "u3", "u4", "u5", "leave-last", "global-time"})
"""Splits whose test part is the same for every seed; see ``recsys.data.splits.registry``."""


@dataclass(frozen=True)
class Measured:
    """Everything that was measured under one protocol.

    Attributes:
        protocol: its name.
        documents: one a contender, by name, in the order of their names.

    Raises:
        DataError: documents are of different interactions or movies, or two contenders were judged
            on different splits under one name and seed.
    """

    protocol: str
    documents: Mapping[str, ContenderDocument]

    def __post_init__(self) -> None:
        documents = self.documents.values()
        self._refuse_several("ratings", ((d, d.dataset) for d in documents))
        # Older documents do not tell their movies: they are taken to be of the same.
        self._refuse_several("movies", ((d, d.movies) for d in documents if d.movies is not None))
        self._refuse_torn_splits()

    def _refuse_several(
        self, what: str, fingerprints: Iterable[tuple[ContenderDocument, str]]
    ) -> None:
        found: dict[str, list[str]] = {}
        for document, fingerprint in fingerprints:
            found.setdefault(fingerprint, []).append(f"{document.contender} ({document.created})")
        if len(found) > 1:
            raise DataError(
                f"documents of {self.protocol} are of different {what}",
                rows=[f"{key[:12]}: {', '.join(names)}" for key, names in found.items()],
                hint="delete the older documents and run the benchmark again",
            )

    def _refuse_torn_splits(self) -> None:
        found: dict[tuple[str, int | None, int], dict[str, list[str]]] = {}
        for name, document in self.documents.items():
            for run in document.runs:
                of_key = found.setdefault((run.split.name, run.split.seed, run.seed), {})
                of_key.setdefault(run.split.fingerprint, []).append(name)
        torn = {key: splits for key, splits in found.items() if len(splits) > 1}
        if torn:
            raise DataError(
                f"contenders of {self.protocol} were judged on different splits",
                rows=[
                    f"{key}: {', '.join(names[0] for names in s.values())}"
                    for key, s in torn.items()
                ],
                hint="delete the older documents and run the benchmark again",
            )

    @property
    def ranked(self) -> dict[str, ContenderDocument]:
        """Documents whose runs mean something."""
        return {n: d for n, d in self.documents.items() if not d.null_failed}

    @property
    def runs(self) -> list[Run]:
        """All runs of all contenders."""
        return [run for document in self.documents.values() for run in document.runs]


def load_results(results: Path) -> list[Measured]:
    """All protocols of a results folder, ``results/<protocol>/<contender>.json``, by name.

    Raises:
        DataError: there is no document; one cannot be read, is not of the protocol of its folder,
            or repeats a contender; or data or splits differ within a protocol.
    """
    folders = sorted({path.parent for path in results.glob("*/*.json")})
    if not folders:
        raise DataError(
            f"there are no benchmark documents in {results}",
            hint="measure something first: recsys benchmark run",
        )
    return [_measured(folder) for folder in folders]


def _measured(folder: Path) -> Measured:
    documents: dict[str, ContenderDocument] = {}
    for path in sorted(folder.glob("*.json")):
        document = ContenderDocument.load(path)
        if document.protocol != folder.name:
            raise DataError(f"{path} is of protocol {document.protocol!r}", hint="move it there")
        if document.contender in documents:
            raise DataError(f"{path} repeats contender {document.contender!r}", hint="delete one")
        documents[document.contender] = document
    return Measured(folder.name, {name: documents[name] for name in sorted(documents)})


def test_part(run: Run) -> str:
    """What a run was judged on: runs that share it differ in their training alone."""
    fixed = run.split.name in FIXED_TESTS
    return run.split.name if fixed else f"{run.split.name} {run.split.seed}"


def split_of(part: str) -> str:
    """The name of the split that a test part, as ``test_part`` names it, was drawn by."""
    return part if part in FIXED_TESTS else part.rpartition(" ")[0]
