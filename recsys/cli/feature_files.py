"""``recsys features import|export``: vectors from elsewhere, and for other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from recsys.cli import feature_tables, output, stages
from recsys.cli.options import (
    DataOption,
    DatasetOption,
    DocumentFormatOption,
    OnBadRowOption,
    SetOption,
    option,
)
from recsys.cli.train import ConfigOption, SplitOption, resolved
from recsys.errors import ConfigError

IMPORT_EXAMPLE: Final = "recsys features import --modality poster --file clip.npy --ids ids.txt"
EXPORT_EXAMPLE: Final = "recsys features export --format recbole --out exports/ml-100k"


def import_(
    *,
    modality: Annotated[
        str,
        option(
            "--modality NAME",
            "What the vectors are of: text, poster, video, audio, or a name of your own.",
        ),
    ],
    file: Annotated[
        Path,
        option("--file FILE", "The vectors: .parquet, .csv, .npy with --ids, or RecBole's .…emb."),
    ],
    ids: Annotated[
        Path | None,
        option(
            "--ids FILE",
            "For .npy, the id of each row: .txt (one a line), .csv, .json or .parquet.",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        option("--mask FILE", "For .npy, a .npy that is False at rows that stand for no vector."),
    ] = None,
    id_column: Annotated[
        str | None,
        option("--id-column NAME", "For .parquet, the column of ids. Default: the first."),
    ] = None,
    key: Annotated[
        Literal["item", "film"],
        option(
            "--key [item|film]",
            "What the ids name: movies of the data set, or films by the ids that MovieLens 1M and "
            "later data sets share.",
        ),
    ] = "item",
    policy: Annotated[
        list[str] | None,
        option(
            "--policy KEY=CHOICE",
            "What becomes of bad rows, such as on_nonfinite=mask; repeatable. on_unknown_id: error "
            "or drop; on_wrong_dim: error or mask; on_nonfinite: error, mask or median; "
            "on_duplicate: error, first or mask; on_zero_row (mask unless given) and "
            "on_constant_row (keep): error, keep or mask; on_constant_column (keep): error or "
            "keep.",
        ),
    ] = None,
    dataset: DatasetOption = None,
    data: DataOption = None,
    on_bad_row: OnBadRowOption = "error",
    out: Annotated[
        Path | None,
        option(
            "--out FILE.parquet",
            "Where to write the vectors of the movies of the data set, for "
            "'sources.features.NAME: {source: file, path: FILE.parquet}' of a configuration.",
        ),
    ] = None,
    format_: DocumentFormatOption = "table",
) -> None:
    """Check vectors that were made elsewhere against the movies of a data set.

    Each kind of fault is counted, and refuses the file (exit code 3) unless --policy says what
    becomes of it; 'mask' leaves the movie without a vector.
    """
    if out is not None and out.suffix != ".parquet":
        raise ConfigError(f"--out {out}: the name must end in .parquet")
    from recsys.config.loading import load_experiment
    from recsys.data.sources import open_dataset
    from recsys.features.alignment import import_modality
    from recsys.features.export import export_parquet

    given = {"path": file, "ids": ids, "mask": mask, "id_column": id_column, "key": key}
    told = {"source": "file", **{name: str(value) for name, value in given.items() if value}}
    place = f"sources.features.{modality}"
    choices = [f"{place}.policy.{choice}" for choice in policy or []]
    experiment = load_experiment(None, [f"{place}={json.dumps(told)}", *choices])
    with output.busy("reading"):
        read = open_dataset(dataset, data, on_bad_row)
        counts = read.interactions.item_counts()
        source = experiment.sources.features[modality]
        table, report = import_modality(modality, source, read.catalogue, counts)
    if out is not None:
        export_parquet(read.catalogue.with_modality(table), table.name, out)
        output.say("wrote", str(out))
    if format_ == "json":
        output.print_json(report.to_dict())
    else:
        feature_tables.print_alignment(report)


def export(
    *,
    format_: Annotated[
        Literal["recbole", "mmrec", "parquet"],
        option(
            "--format [recbole|mmrec|parquet]",
            "RecBole's atomic files, MMRec's arrays and id maps, or a table a modality that "
            "'recsys features import' reads.",
        ),
    ],
    out: Annotated[
        Path,
        option(
            "--out DIR",
            "Where to write. The data set is named after this folder, as RecBole and MMRec need.",
        ),
    ],
    config: ConfigOption = "default",
    changes: SetOption = None,
    data: DataOption = None,
    split: SplitOption = None,
    modalities: Annotated[
        list[str] | None,
        option("--modality NAME", "Write this modality; repeatable. Default: all."),
    ] = None,
) -> None:
    """Write ratings, movies and vectors for other programs, and print the files.

    MMRec's ratings say which part of the split they are in; RecBole splits for itself.
    """
    if split is not None and format_ != "mmrec":
        raise ConfigError(f"--split goes with --format mmrec, not with {format_}")
    from recsys.data.splits import make_split
    from recsys.features.export import export_mmrec, export_parquet, export_recbole, modality

    given = [] if split is None else [f"split.name={json.dumps(split)}"]
    experiment = resolved(config, [*given, *(changes or [])], data)
    dataset, extraction = stages.extracted(experiment, data)
    catalogue, name = extraction.catalogue, out.resolve().name
    if modalities:
        kept = {name: modality(catalogue, name) for name in modalities}
        catalogue = replace(catalogue, modalities=kept)
    if format_ == "recbole":
        written = export_recbole(catalogue, dataset.interactions, out, name)
    elif format_ == "mmrec":
        spec = experiment.split
        made = make_split(dataset, spec.name, spec.seed)
        written = export_mmrec(catalogue, made, out, name)
    else:
        written = [out / f"{chosen}.parquet" for chosen in catalogue.modalities]
        for path in written:
            export_parquet(catalogue, path.stem, path)
    for path in written:
        typer.echo(str(path))
