"""What became of every movie's file.

Legend: I items, D dimensions of one modality.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue, EncoderCard, ModalityTable
from recsys.data.files import atomic_write
from recsys.errors import AlignmentError, ConfigError, DataError
from recsys.features.cache import FeatureCache, Vectors
from recsys.features.media import FileStatus

_COLUMNS = ("item_id", "row", "status", "reused", "path", "what")


@dataclass(frozen=True)
class FileJob:
    """A movie and its file.

    Attributes:
        item_id: external id of the movie.
        row: its row in the catalogue.
        path: the file; None where there is none.
    """

    item_id: str
    row: int
    path: Path | None


@dataclass(frozen=True)
class FileOutcome(FileJob):
    """What became of one movie's file.

    Attributes:
        status: "ok", or why there is no vector.
        digest: SHA-256 of the file's bytes, "" where they could not be read.
        what: why there is no vector, in a sentence.
        reused: the status was known before: from an earlier run, or from an equal file.
    """

    status: FileStatus
    digest: str = ""
    what: str = ""
    reused: bool = False

    def record(self) -> dict[str, str | int | bool]:
        """As written to a report."""
        return {
            "item_id": self.item_id,
            "row": self.row,
            "status": self.status.value,
            "reused": self.reused,
            "path": "" if self.path is None else str(self.path),
            "what": self.what,
        }


@dataclass(frozen=True)
class JobReport:
    """What a run over the files of one modality came to.

    Attributes:
        modality: its name.
        card: the encoder.
        outcomes: one a file, in the order they were asked for.
        seconds: wall-clock time.
        unsaved: vectors that the cache could not keep, by digest; empty where it could.
    """

    modality: str
    card: EncoderCard
    outcomes: tuple[FileOutcome, ...]
    seconds: float
    unsaved: Vectors = field(default_factory=dict, repr=False)

    @property
    def counts(self) -> dict[FileStatus, int]:
        """How many files have each status; statuses that none has are left out."""
        found = Counter(outcome.status for outcome in self.outcomes)
        return {status: found[status] for status in FileStatus if found[status]}

    @property
    def present(self) -> int:
        """Movies that have a vector."""
        return self.counts.get(FileStatus.OK, 0)

    @property
    def encoded(self) -> int:
        """Vectors computed in this run."""
        return sum(o.status is FileStatus.OK and not o.reused for o in self.outcomes)

    @property
    def reused(self) -> int:
        """Movies whose vector was known."""
        return self.present - self.encoded

    @property
    def failed(self) -> int:
        """Movies that have a file and no vector."""
        return sum(o.status not in {FileStatus.OK, FileStatus.MISSING} for o in self.outcomes)

    def write(self, path: Path) -> None:
        """Everything as JSON, or the outcomes alone as CSV, by the suffix of the path.

        Raises:
            ConfigError: the suffix is neither.
        """
        files = [outcome.record() for outcome in self.outcomes]
        if path.suffix == ".csv":
            text = pd.DataFrame(files, columns=_COLUMNS).to_csv(index=False)
        elif path.suffix == ".json":
            text = json.dumps({**self._summary(), "files": files}, indent=1) + "\n"
        else:
            raise ConfigError(f"report {path}: the name must end in .json or .csv")
        with atomic_write(path) as temporary:
            temporary.write_bytes(text.encode("utf-8", errors="backslashreplace"))

    def _summary(self) -> dict[str, Any]:
        return {
            "modality": self.modality,
            "encoder": self.card.name,
            "revision": self.card.revision,
            "counts": {status.value: count for status, count in self.counts.items()},
            "encoded": self.encoded,
            "reused": self.reused,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
        }

    def table(self, catalogue: Catalogue, cache: FeatureCache) -> ModalityTable:
        """The modality of a catalogue; movies without a vector are absent.

        Args:
            catalogue: the I movies that the files were named for.
            cache: where the run kept its vectors.

        Raises:
            AlignmentError: a file was named for another movie than the catalogue has in its row.
            DataError: vectors have vanished from the cache since.
        """
        self._require_aligned(catalogue)
        good = {o.row: o.digest for o in self.outcomes if o.status is FileStatus.OK}
        found = {**cache.read(self.card, set(good.values())), **self.unsaved}
        self._require_found(good, found)
        vectors = np.zeros((len(catalogue), self.card.dim), dtype=np.float32)
        present = np.zeros(len(catalogue), dtype=bool)
        for row, digest in good.items():
            vectors[row], present[row] = found[digest], True
        return ModalityTable(
            self.modality, vectors, present, self.card, catalogue.items.fingerprint
        )

    def _require_aligned(self, catalogue: Catalogue) -> None:
        ids = catalogue.items.ids
        wrong = [
            f"row {o.row}: {o.item_id!r}"
            for o in self.outcomes
            if not (0 <= o.row < len(ids) and ids[o.row] == o.item_id)
        ]
        if wrong:
            raise AlignmentError(
                f"modality {self.modality}: {len(wrong)} files belong to other movies than this "
                "catalogue has in their rows",
                rows=wrong,
                hint="name the files for the catalogue that is to have them",
            )

    def _require_found(
        self, good: Mapping[int, str], found: Mapping[str, NDArray[np.float32]]
    ) -> None:
        lost = [f"row {row}" for row, digest in good.items() if digest not in found]
        if lost:
            raise DataError(
                f"modality {self.modality}: {len(lost)} vectors are no longer in the cache",
                rows=lost,
                hint="run the extraction again",
            )
