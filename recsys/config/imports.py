"""Vectors that were made elsewhere: where they are, and what becomes of rows that are not right.

``features.imports`` maps the name of a modality to one of these, for example
``audio: {source: mmtf-14k, path: MMTF14K.zip, table: ivector, fold: 1}`` or
``poster: {source: file, path: clip.npy, ids: ids.txt, key: film}``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from recsys.config.section import Section

Key = Literal["item", "film"]
"""What the ids of a file name: movies of the data set, or films of a wider list."""

Aggregation = Literal["Avg", "AvgVar", "Med", "MedMad"]


class ImportPolicy(Section):
    """What becomes of each kind of row; "error" refuses the file, "mask" leaves the movie without.

    Rows of unknown ids are settled first; every other kind is looked for among the rest alone.

    Attributes:
        on_unknown_id: the id names no movie of the catalogue.
        on_wrong_dim: the row has another number of values than the header or most rows.
        on_nonfinite: a value is NaN or infinite; "median" puts the column's median in its place,
            and still masks a row that has no finite value.
        on_duplicate: rows of one id differ; equal rows count as one whatever is chosen.
        on_zero_row: every value is 0, which often stands for "none".
        on_constant_row: every value is the same, and not 0.
        on_constant_column: a column is the same for every movie.
    """

    on_unknown_id: Literal["error", "drop"] = "error"
    on_wrong_dim: Literal["error", "mask"] = "error"
    on_nonfinite: Literal["error", "mask", "median"] = "error"
    on_duplicate: Literal["error", "first", "mask"] = "error"
    on_zero_row: Literal["error", "keep", "mask"] = "mask"
    on_constant_row: Literal["error", "keep", "mask"] = "keep"
    on_constant_column: Literal["error", "keep"] = "keep"


class ArchivePolicy(ImportPolicy):
    """The same, for an archive that is wider than any one catalogue and known not to be clean."""

    on_unknown_id: Literal["error", "drop"] = "drop"
    on_nonfinite: Literal["error", "mask", "median"] = "mask"


class CardConfig(Section):
    """What is known of how the vectors of a file were made; see ``EncoderCard``.

    Attributes:
        name: of the encoder; that of the file unless given.
    """

    name: str = ""
    preprocessing: str = "not stated"
    pooling: str = "not stated"
    licence: str = "not stated"
    paper: str = "not stated"
    notes: str = ""


class FileImport(Section):
    """Vectors in a file: ``.parquet``, ``.csv``, RecBole's ``.…emb``, or ``.npy`` with ``ids``.

    Attributes:
        path: the vectors; environment variables are expanded.
        ids: for ``.npy``, the id of each row: ``.txt`` (one a line), ``.csv``, ``.json``,
            ``.parquet``; a second column, or the values of a JSON object, are row numbers.
        mask: for ``.npy``, a ``.npy`` that is False at rows that stand for no vector.
        id_column: of a ``.parquet``; the first unless given.
        key: what the ids name.
        card: how the vectors were made; a file written by ``recsys`` carries its own.
        policy: what becomes of rows that are not right.
    """

    source: Literal["file"] = "file"
    path: Path
    ids: Path | None = None
    mask: Path | None = None
    id_column: str | None = None
    key: Key = "item"
    card: CardConfig = CardConfig()
    policy: ImportPolicy = ImportPolicy()


class _Mmtf14k(Section):
    source: Literal["mmtf-14k"] = "mmtf-14k"
    path: Path
    policy: ArchivePolicy = ArchivePolicy()


class IvectorTable(_Mmtf14k):
    """i-vectors of a trailer's sound.

    Of the sizes looked at, 256 and 100 told the genres of MovieLens-100K apart best (mean ROC-AUC
    0.68, against 0.64 for 128 and 20), 512 Gaussians no better.

    Attributes:
        fold: they were trained on four of five parts of the movies: take the fold of the split.
        gmm: Gaussians of the background model: 16, 32, 64, 128, 256 or 512 were published.
        tv_dim: width: 10, 20, 40, 100, 200 or 400.
    """

    table: Literal["ivector"] = "ivector"
    fold: int = Field(default=1, ge=1, le=5)
    gmm: PositiveInt = 256
    tv_dim: PositiveInt = 100


class BlockLevelTable(_Mmtf14k):
    """Block-level features of a trailer's sound.

    Attributes:
        part: the folder they lie in.
        component: "spectral", "deltaspectral", "variancedeltaspectral", "logarithmicfluctuation",
            "correlation" or "spectralcontrast"; all of the part side by side unless given.
    """

    table: Literal["blf"] = "blf"
    part: Literal["All", "Component6"] = "Component6"
    component: str | None = None


class AestheticTable(_Mmtf14k):
    """Aesthetic descriptors of a trailer's pictures.

    Attributes:
        aggregation: over the frames. "Avg" has infinite values and others near 1e15 in three of its
            columns, and as published it tells no more of genres than "Med", which has neither; with
            ``on_nonfinite: median`` it tells slightly more.
        features: which of them: "All", or a group such as "Feat26HSV" or "Type3Color".
    """

    table: Literal["aesthetic"] = "aesthetic"
    aggregation: Aggregation = "Med"
    features: str = "All"


class AlexNetTable(_Mmtf14k):
    """Activations of AlexNet's layer fc7, aggregated over a trailer's frames."""

    table: Literal["alexnet"] = "alexnet"
    aggregation: Aggregation = "Avg"


MmtfImport = IvectorTable | BlockLevelTable | AestheticTable | AlexNetTable

ImportConfig = Annotated[
    FileImport | Annotated[MmtfImport, Field(discriminator="table")],
    Field(discriminator="source"),
]
"""What ``features.imports`` maps the name of a modality to."""
