"""``recsys models``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from recsys.cli import output
from recsys.cli.options import DocumentFormatOption
from recsys.cli.output import DocumentFormat

if TYPE_CHECKING:
    from recsys.recommenders.registry import ModelEntry

EXAMPLE: Final = "recsys models"


def models(*, format_: DocumentFormatOption = DocumentFormat.TABLE) -> None:
    """List the models that 'recsys train --model' makes, and what each can be asked.

    What cannot be trained here, for want of a library, can be loaded and asked all the same.
    """
    from recsys.recommenders.registry import MODELS

    known = [_described(entry) for entry in MODELS.values()]
    if format_ is DocumentFormat.JSON:
        output.print_json(known)
        return
    table = output.new_table("name", "what it is", "made of", "answers", "to train it")
    for model in known:
        name = f"{model['name']}[:MODALITY]" if model["by_modality"] else model["name"]
        answers = ", ".join(model["answers"])
        table.add_row(name, model["summary"], model["payload"], answers, _needed(model))
    output.print_table(table)


def _described(entry: ModelEntry) -> dict[str, Any]:
    from recsys.recommenders.registry import create

    model = create(entry.name)
    facts = asdict(model.facts)
    return {
        "name": entry.name,
        **facts,
        "answers": model.answers(),
        "by_modality": entry.by_modality,
        "installed": entry.is_available,
    }


def _needed(model: dict[str, Any]) -> str:
    if model["library"] is None:
        return "nothing more"
    return "installed" if model["installed"] else f"pip install 'recsys[{model['extra']}]'"
