"""``recsys features import``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys.cli import feature_tables, output
from recsys.cli.import_options import (
    FileOption,
    IdColumnOption,
    IdsOption,
    Key,
    KeyOption,
    MaskOption,
    ModalityOption,
    OnConstantColumnOption,
    OnConstantRowOption,
    OnDuplicate,
    OnDuplicateOption,
    OnFlatColumn,
    OnFlatRow,
    OnNonfinite,
    OnNonfiniteOption,
    OnUnknownId,
    OnUnknownIdOption,
    OnWrongDim,
    OnWrongDimOption,
    OnZeroRowOption,
    TableOption,
)
from recsys.cli.options import (
    DataOption,
    DatasetOption,
    DocumentFormatOption,
    OnBadRow,
    OnBadRowOption,
)
from recsys.cli.output import DocumentFormat
from recsys.errors import ConfigError

if TYPE_CHECKING:
    from recsys.config.imports import FileImport
    from recsys.data.catalogue import Catalogue, ModalityTable

EXAMPLE: Final = "recsys features import --modality poster --file clip.npy --ids ids.txt"


def import_(
    *,
    modality: ModalityOption,
    file: FileOption,
    ids: IdsOption = None,
    mask: MaskOption = None,
    id_column: IdColumnOption = None,
    key: KeyOption = Key.ITEM,
    on_unknown_id: OnUnknownIdOption = OnUnknownId.ERROR,
    on_wrong_dim: OnWrongDimOption = OnWrongDim.ERROR,
    on_nonfinite: OnNonfiniteOption = OnNonfinite.ERROR,
    on_duplicate: OnDuplicateOption = OnDuplicate.ERROR,
    on_zero_row: OnZeroRowOption = OnFlatRow.MASK,
    on_constant_row: OnConstantRowOption = OnFlatRow.KEEP,
    on_constant_column: OnConstantColumnOption = OnFlatColumn.KEEP,
    dataset: DatasetOption = None,
    data: DataOption = None,
    on_bad_row: OnBadRowOption = OnBadRow.ERROR,
    out: TableOption = None,
    format_: DocumentFormatOption = DocumentFormat.TABLE,
) -> None:
    """Check vectors that were made elsewhere against the movies of a data set.

    Each kind of fault is counted, and refuses the file (exit code 3) unless an option says what
    becomes of it; 'mask' leaves the movie without a vector.
    """
    policy = {
        "on_unknown_id": on_unknown_id,
        "on_wrong_dim": on_wrong_dim,
        "on_nonfinite": on_nonfinite,
        "on_duplicate": on_duplicate,
        "on_zero_row": on_zero_row,
        "on_constant_row": on_constant_row,
        "on_constant_column": on_constant_column,
    }
    place = {"path": file, "ids": ids, "mask": mask, "id_column": id_column, "key": key}
    _require_parquet(out)
    source = _source(place, policy)
    from recsys.data.sources import open_dataset
    from recsys.features.alignment import import_modality

    with output.busy("reading"):
        read = open_dataset(dataset, data, on_bad_row.value)
        counts = read.interactions.item_counts()
        table, report = import_modality(modality, source, read.catalogue, counts)
    if out is not None:
        _write(read.catalogue, table, out)
    if format_ is DocumentFormat.JSON:
        output.print_json(report.to_dict())
    else:
        feature_tables.print_alignment(report)


def _source(place: dict[str, Any], policy: dict[str, StrEnum]) -> FileImport:
    from recsys.config.imports import FileImport

    chosen = {option: choice.value for option, choice in policy.items()}
    return FileImport.model_validate({**place, "key": place["key"].value, "policy": chosen})


def _require_parquet(path: Path | None) -> None:
    if path is not None and path.suffix != ".parquet":
        raise ConfigError(f"--out {path}: the name must end in .parquet")


def _write(catalogue: Catalogue, table: ModalityTable, path: Path) -> None:
    from recsys.features.export import export_parquet

    export_parquet(catalogue.with_modality(table), table.name, path)
    output.say("wrote", str(path))
