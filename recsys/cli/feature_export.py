"""``recsys features export``."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from recsys.cli import stages
from recsys.cli.options import DataOption, SetOption
from recsys.cli.train import ConfigOption, SplitOption, resolved
from recsys.errors import ConfigError

if TYPE_CHECKING:
    from recsys.config.experiment import ExperimentConfig
    from recsys.data.catalogue import Catalogue
    from recsys.data.dataset import Dataset

EXAMPLE: Final = "recsys features export --format recbole --out exports/ml-100k"


class ExportFormat(StrEnum):
    """Whose files are written."""

    RECBOLE = "recbole"
    MMREC = "mmrec"
    PARQUET = "parquet"


ExportFormatOption = Annotated[
    ExportFormat,
    typer.Option(
        "--format",
        metavar="[recbole|mmrec|parquet]",
        help="RecBole's atomic files, MMRec's arrays and id maps, or a table a modality that "
        "'recsys features import' reads.",
        show_default=False,
    ),
]
ExportOption = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Where to write. The data set is named after this folder, as RecBole and MMRec need.",
        show_default=False,
    ),
]
ModalitiesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--modality",
        metavar="NAME",
        help="Write this modality; repeatable. Default: all.",
        show_default=False,
    ),
]


def export(
    *,
    format_: ExportFormatOption,
    out: ExportOption,
    config: ConfigOption = "default",
    changes: SetOption = None,
    data: DataOption = None,
    split: SplitOption = None,
    modalities: ModalitiesOption = None,
) -> None:
    """Write ratings, movies and vectors for other programs, and print the files.

    MMRec's ratings say which part of the split they are in; RecBole splits for itself.
    """
    if split is not None and format_ is not ExportFormat.MMREC:
        raise ConfigError(f"--split goes with --format mmrec, not with {format_}")
    given = [] if split is None else [f"split.name={json.dumps(split)}"]
    experiment = resolved(config, [*given, *(changes or [])], data)
    dataset, extraction = stages.extracted(experiment, data)
    catalogue = _chosen(extraction.catalogue, modalities)
    for path in _exported(format_, out, experiment, dataset, catalogue):
        typer.echo(str(path))


def _chosen(catalogue: Catalogue, names: list[str] | None) -> Catalogue:
    from recsys.features.export import modality

    if not names:
        return catalogue
    return replace(catalogue, modalities={name: modality(catalogue, name) for name in names})


def _exported(
    format_: ExportFormat,
    folder: Path,
    experiment: ExperimentConfig,
    dataset: Dataset,
    catalogue: Catalogue,
) -> list[Path]:
    from recsys.data.splits import make_split
    from recsys.features.export import export_parquet
    from recsys.features.export_mmrec import export_mmrec
    from recsys.features.export_recbole import export_recbole

    name = folder.resolve().name
    if format_ is ExportFormat.RECBOLE:
        return export_recbole(catalogue, dataset.interactions, folder, name)
    if format_ is ExportFormat.MMREC:
        chosen = experiment.split
        split = make_split(dataset, chosen.name, chosen.seed)
        return export_mmrec(catalogue, split, folder, name)
    paths = {modality: folder / f"{modality}.parquet" for modality in catalogue.modalities}
    for modality, path in paths.items():
        export_parquet(catalogue, modality, path)
    return list(paths.values())
