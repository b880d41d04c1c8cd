"""``recsys models``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from recsys.cli import output
from recsys.cli.options import DocumentFormatOption
from recsys.cli.output import DocumentFormat

if TYPE_CHECKING:
    from recsys.recommenders.registry import ModelEntry


def models(*, format_: DocumentFormatOption = DocumentFormat.TABLE) -> None:
    """List the models that 'recsys train --model' makes, and what each can be asked.

    What cannot be trained here, for want of a library, can be loaded and asked all the same.
    """
    from recsys.recommenders.registry import MODELS

    output.show([_described(entry) for entry in MODELS.values()], format_, _print)


def _print(known: list[dict[str, Any]]) -> None:
    rows = (
        (
            f"{model['name']}[:MODALITY]" if model["by_modality"] else model["name"],
            model["summary"],
            model["payload"],
            ", ".join(model["answers"]),
            _needed(model),
        )
        for model in known
    )
    output.print_rows(("name", "what it is", "made of", "answers", "to train it"), rows)


def _described(entry: ModelEntry) -> dict[str, Any]:
    from recsys.recommenders.registry import create

    model = create(entry.name)
    more = {"by_modality": entry.by_modality, "installed": entry.is_available}
    return {"name": entry.name, **asdict(model.facts), "answers": model.answers(), **more}


def _needed(model: dict[str, Any]) -> str:
    if model["library"] is None:
        return "nothing more"
    return "installed" if model["installed"] else f"pip install 'recsys[{model['extra']}]'"
