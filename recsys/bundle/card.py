"""The model card: a README in Hugging Face form, ``card.md`` filled with what a bundle holds."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

from recsys.bundle.contents import BundleContents
from recsys.evaluation.report import EvaluationDocument


def model_card(contents: BundleContents) -> str:
    """The text of ``README.md``."""
    dataset, split = contents.provenance.dataset, contents.provenance.split
    catalogue, histories = contents.context.catalogue, contents.context.histories
    params = ", ".join(f"{name} {value}" for name, value in sorted(split.params.items()))
    encoders = "".join(
        f"- {name}: {card.name} ({card.revision}), {card.dim} dimensions, {card.pooling}; licence "
        f"{card.licence}; {card.paper}" + (f". {card.notes}\n" if card.notes else "\n")
        for name, card in contents.provenance.encoders.items()
    )
    template = files("recsys.bundle").joinpath("card.md").read_text(encoding="utf-8")
    return template.format(
        front=yaml.safe_dump(_front_matter(contents), sort_keys=False, allow_unicode=True),
        label=contents.label,
        about=contents.about,
        dataset=dataset,
        homepage=f" ({dataset.homepage})" if dataset.homepage else "",
        licence=dataset.licence or "not stated; ask its owner before you share",
        citation=f"- Cite: {dataset.citation}\n" if dataset.citation else "",
        ratings=len(histories),
        split=split,
        params=f" ({params})" if params else "",
        config=contents.config.fingerprint,
        encoders=f"## Content encoders\n\n{encoders}\n" if encoders else "",
        example=catalogue.display_title(0) if len(catalogue) else "",
        items=histories.shape[1],
        users=histories.shape[0],
        results=_results(contents.metrics),
    )


def _front_matter(contents: BundleContents) -> dict[str, Any]:
    dataset, metrics = contents.provenance.dataset, contents.metrics
    matter: dict[str, Any] = {"library_name": "recsys", "pipeline_tag": "recommendation"}
    if dataset.licence:
        matter |= {"license": "other", "license_name": dataset.licence}
    matter["tags"] = ["recommender-system", "movies", *contents.provenance.encoders]
    matter["datasets"] = [dataset.name]
    if metrics is not None:
        values = [{"type": name, "value": round(value, 6)} for name, value in _figures(metrics)]
        data = {"name": dataset.name, "type": dataset.name, "split": metrics.split.name}
        result = {"task": {"type": "recommendation"}, "dataset": data, "metrics": values}
        matter["model-index"] = [{"name": contents.label, "results": [result]}]
    return matter


def _figures(metrics: EvaluationDocument) -> list[tuple[str, float]]:
    rating = {} if metrics.rating is None else metrics.rating.model_dump()
    return [*rating.items(), *metrics.ranking.items(), *(metrics.genre or {}).items()]


def _results(metrics: EvaluationDocument | None) -> str:
    if metrics is None:
        return "This model was not evaluated."
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in _figures(metrics))
    return (
        f"Test part of split `{metrics.split.name}`; ranking over all unseen movies, mean over "
        f"{metrics.n_users:,} users.\n\n| metric | value |\n|---|---:|\n{rows}"
    )
