"""What a bundle says of itself, and the names of its files."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field

from recsys.data.catalogue import Catalogue, EncoderCard
from recsys.data.split import Source
from recsys.documents import Document

SCHEMA_VERSION: Final = 4
"""Raised whenever an older reader would misread a newer bundle."""

MANIFEST: Final = "manifest.json"
MANIFEST_HASH: Final = "manifest.sha256"
EXPERIMENT: Final = "experiment.yaml"
ITEMS: Final = "items.parquet"
USERS: Final = "users.parquet"
MODEL: Final = "model.safetensors"
SEEN: Final = "seen.safetensors"
INDEX: Final = "index.faiss"
GOLDEN: Final = "golden.json"
METRICS: Final = "metrics.json"
CARD: Final = "README.md"

REQUIRED: Final = frozenset({EXPERIMENT, ITEMS, USERS, MODEL, SEEN, GOLDEN, CARD})
"""Files every manifest lists; ``index.faiss`` is there for a model of vectors, and ``metrics.json``
once it was evaluated."""

FILES: Final = REQUIRED | {INDEX, METRICS, MANIFEST, MANIFEST_HASH}
"""Every name a bundle may hold."""


class DatasetRecord(Document):
    """What the ratings are.

    Attributes:
        name: of the data set.
        fingerprint: of the interactions before they were split.
        licence: on what terms the data may be used; "" where unknown.
        citation: what to cite.
        homepage: where the data comes from.
    """

    name: str
    fingerprint: str
    licence: str = ""
    citation: str = ""
    homepage: str = ""


class SplitRecord(Document):
    """Which ratings trained the model; see ``recsys.data.splits.SplitSpec``."""

    name: str
    seed: int
    params: dict[str, int] = Field(default_factory=dict)
    fingerprint: str


class Provenance(Document):
    """Where a model comes from.

    Attributes:
        dataset: the ratings.
        split: the part of them that trained it.
        encoders: modality to how its vectors were made.
    """

    dataset: DatasetRecord
    split: SplitRecord
    encoders: dict[str, EncoderCard]

    @classmethod
    def of(cls, dataset: DatasetRecord, source: Source, catalogue: Catalogue) -> Self:
        """The provenance of a model trained on this split of these movies."""
        spec = source.spec
        return cls(
            dataset=dataset,
            split=SplitRecord(
                name=spec.name,
                seed=spec.seed,
                params=dict(spec.params),
                fingerprint=source.split,
            ),
            encoders={name: table.card for name, table in sorted(catalogue.modalities.items())},
        )


class VocabularyRecord(Document):
    """How many ids there are, and a hash of them in their order."""

    size: int
    fingerprint: str


class FileRecord(Document):
    """What a file must be, byte for byte."""

    size: int
    sha256: str


class Manifest(Document):
    """The first file that is read, and the one that vouches for all others.

    Attributes:
        schema_version: of the bundle's layout.
        model: name of the model in the registry.
        about: what it is, in a line.
        version: short hash of the trained arrays and what they are aligned with.
        index: kind of ``index.faiss``, see ``recsys.retrieval.registry``; None without one.
        config: fingerprint of the experiment.
        users: the known users.
        items: the movies.
        genres: genre labels, in the order of the genre head.
        provenance: data, split and encoders.
        versions: of this package and the libraries whose formats are used.
        files: name to what it must be; all files but the manifest and its hash.
    """

    schema_version: int
    model: str
    version: str
    about: str
    index: str | None
    config: str
    users: VocabularyRecord
    items: VocabularyRecord
    genres: tuple[str, ...]
    provenance: Provenance
    versions: dict[str, str]
    files: dict[str, FileRecord]

    @property
    def label(self) -> str:
        """Name and version, as every output states them."""
        return f"{self.model}-{self.version}"

    def to_bytes(self) -> bytes:
        """The one JSON text of this manifest."""
        return (self.model_dump_json(indent=2) + "\n").encode()
