"""``recsys features import|export``: vectors from elsewhere, and for other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from recsys.cli import feature_tables, output, stages
from recsys.cli.options import (
    DataOption,
    DatasetOption,
    DocumentFormatOption,
    OnBadRow,
    OnBadRowOption,
    SetOption,
)
from recsys.cli.output import DocumentFormat
from recsys.cli.train import ConfigOption, SplitOption, resolved
from recsys.errors import ConfigError

if TYPE_CHECKING:
    from recsys.data.catalogue import Catalogue

IMPORT_EXAMPLE: Final = "recsys features import --modality poster --file clip.npy --ids ids.txt"
EXPORT_EXAMPLE: Final = "recsys features export --format recbole --out exports/ml-100k"


def _option(flag: str, metavar: str, text: str) -> typer.models.OptionInfo:
    """An option; its default is shown where it is one of several choices."""
    made: typer.models.OptionInfo = typer.Option(
        flag, metavar=metavar, help=text, show_default=metavar.startswith("[")
    )
    return made


def import_(
    *,
    modality: Annotated[
        str,
        _option(
            "--modality",
            "NAME",
            "What the vectors are of: text, poster, video, audio, or a name of your own.",
        ),
    ],
    file: Annotated[
        Path,
        _option(
            "--file", "FILE", "The vectors: .parquet, .csv, .npy with --ids, or RecBole's .…emb."
        ),
    ],
    ids: Annotated[
        Path | None,
        _option(
            "--ids",
            "FILE",
            "For .npy, the id of each row: .txt (one a line), .csv, .json or .parquet.",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        _option(
            "--mask", "FILE", "For .npy, a .npy that is False at rows that stand for no vector."
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        _option("--id-column", "NAME", "For .parquet, the column of ids. Default: the first."),
    ] = None,
    key: Annotated[
        Literal["item", "film"],
        _option(
            "--key",
            "[item|film]",
            "What the ids name: movies of the data set, or films by the ids that MovieLens 1M and "
            "later data sets share.",
        ),
    ] = "item",
    on_unknown_id: Annotated[
        Literal["error", "drop"],
        _option("--on-unknown-id", "[error|drop]", "Rows about no movie of the data set."),
    ] = "error",
    on_wrong_dim: Annotated[
        Literal["error", "mask"],
        _option("--on-wrong-dim", "[error|mask]", "Rows of another width."),
    ] = "error",
    on_nonfinite: Annotated[
        Literal["error", "mask", "median"],
        _option(
            "--on-nonfinite",
            "[error|mask|median]",
            "Rows with NaN or infinite values; median puts the column's median in their place.",
        ),
    ] = "error",
    on_duplicate: Annotated[
        Literal["error", "first", "mask"],
        _option("--on-duplicate", "[error|first|mask]", "Rows of one id that differ."),
    ] = "error",
    on_zero_row: Annotated[
        Literal["error", "keep", "mask"],
        _option("--on-zero-row", "[error|keep|mask]", "Rows that are all zero."),
    ] = "mask",
    on_constant_row: Annotated[
        Literal["error", "keep", "mask"],
        _option("--on-constant-row", "[error|keep|mask]", "Rows whose values are all equal."),
    ] = "keep",
    on_constant_column: Annotated[
        Literal["error", "keep"],
        _option(
            "--on-constant-column", "[error|keep]", "Columns that are the same for every movie."
        ),
    ] = "keep",
    dataset: DatasetOption = None,
    data: DataOption = None,
    on_bad_row: OnBadRowOption = OnBadRow.ERROR,
    out: Annotated[
        Path | None,
        _option(
            "--out",
            "FILE.parquet",
            "Where to write the vectors of the movies of the data set, for "
            "'sources.features.NAME: {source: file, path: FILE.parquet}' of a configuration.",
        ),
    ] = None,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Check vectors that were made elsewhere against the movies of a data set.

    Each kind of fault is counted, and refuses the file (exit code 3) unless an option says what
    becomes of it; 'mask' leaves the movie without a vector.
    """
    if out is not None and out.suffix != ".parquet":
        raise ConfigError(f"--out {out}: the name must end in .parquet")
    from recsys.config.imports import FileImport, ImportPolicy
    from recsys.data.sources import open_dataset
    from recsys.features.alignment import import_modality
    from recsys.features.export import export_parquet

    policy = ImportPolicy(
        on_unknown_id=on_unknown_id,
        on_wrong_dim=on_wrong_dim,
        on_nonfinite=on_nonfinite,
        on_duplicate=on_duplicate,
        on_zero_row=on_zero_row,
        on_constant_row=on_constant_row,
        on_constant_column=on_constant_column,
    )
    source = FileImport(path=file, ids=ids, mask=mask, id_column=id_column, key=key, policy=policy)
    with output.busy("reading"):
        read = open_dataset(dataset, data, on_bad_row.value)
        counts = read.interactions.item_counts()
        table, report = import_modality(modality, source, read.catalogue, counts)
    if out is not None:
        export_parquet(read.catalogue.with_modality(table), table.name, out)
        output.say("wrote", str(out))
    if format_ is DocumentFormat.JSON:
        output.print_json(report.to_dict())
    else:
        feature_tables.print_alignment(report)


def export(
    *,
    format_: Annotated[
        Literal["recbole", "mmrec", "parquet"],
        _option(
            "--format",
            "[recbole|mmrec|parquet]",
            "RecBole's atomic files, MMRec's arrays and id maps, or a table a modality that "
            "'recsys features import' reads.",
        ),
    ],
    out: Annotated[
        Path,
        _option(
            "--out",
            "DIR",
            "Where to write. The data set is named after this folder, as RecBole and MMRec need.",
        ),
    ],
    config: ConfigOption = "default",
    changes: SetOption = None,
    data: DataOption = None,
    split: SplitOption = None,
    modalities: Annotated[
        list[str] | None,
        _option("--modality", "NAME", "Write this modality; repeatable. Default: all."),
    ] = None,
) -> None:
    """Write ratings, movies and vectors for other programs, and print the files.

    MMRec's ratings say which part of the split they are in; RecBole splits for itself.
    """
    if split is not None and format_ != "mmrec":
        raise ConfigError(f"--split goes with --format mmrec, not with {format_}")
    from recsys.data.splits import make_split
    from recsys.features.export import export_mmrec, export_parquet, export_recbole

    given = [] if split is None else [f"split.name={json.dumps(split)}"]
    experiment = resolved(config, [*given, *(changes or [])], data)
    dataset, extraction = stages.extracted(experiment, data)
    catalogue, name = _chosen(extraction.catalogue, modalities), out.resolve().name
    if format_ == "recbole":
        written = export_recbole(catalogue, dataset.interactions, out, name)
    elif format_ == "mmrec":
        spec = experiment.split
        made = make_split(dataset, spec.name, spec.seed)
        written = export_mmrec(catalogue, made, out, name)
    else:
        written = [out / f"{modality}.parquet" for modality in catalogue.modalities]
        for path in written:
            export_parquet(catalogue, path.stem, path)
    for path in written:
        typer.echo(str(path))


def _chosen(catalogue: Catalogue, names: list[str] | None) -> Catalogue:
    from recsys.features.export import modality

    if not names:
        return catalogue
    return replace(catalogue, modalities={name: modality(catalogue, name) for name in names})
