"""The model card: a README in Hugging Face's form, generated from what the bundle holds."""

from __future__ import annotations

from typing import Any

import yaml

from recsys.bundle.contents import BundleContents
from recsys.evaluation.report import EvaluationDocument

_USE = """\
## Intended use

Ranking the movies of this catalogue for a person by what they liked, predicting the stars they
would give, and finding similar movies, for research and teaching. A person needs no account: the
movies they name are enough.

    recommend --bundle . --like "{example}"

## Limits

- It knows the {items:,} movies of its catalogue and what {users:,} people thought of them; both are
  older than today's audience and not a sample of it.
- What many people rated is recommended more often. Coverage and Gini, where reported below, say how
  much.
- A person of whom nothing is known gets what suits everybody.
- Predicted stars are an expectation with an interval, not a fact about a movie or a person.
- The known users are rows of the training data. Whoever has this folder can read their ratings.
"""


def model_card(contents: BundleContents) -> str:
    """The text of ``README.md``."""
    example = contents.context.catalogue.display_title(0) if len(contents.context.catalogue) else ""
    users, items = contents.context.histories.shape
    parts = [
        f"---\n{yaml.safe_dump(_front_matter(contents), sort_keys=False, allow_unicode=True)}---",
        f"# {contents.label}",
        contents.about,
        _data(contents),
        _encoders(contents),
        _USE.format(example=example, items=items, users=users).rstrip(),
        _results(contents.metrics),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(contents: BundleContents) -> dict[str, Any]:
    dataset = contents.provenance.dataset
    matter: dict[str, Any] = {"library_name": "recsys", "pipeline_tag": "recommendation"}
    if dataset.licence:
        matter |= {"license": "other", "license_name": dataset.licence}
    matter |= {
        "tags": ["recommender-system", "movies", *contents.provenance.encoders],
        "datasets": [dataset.name],
    }
    if contents.metrics is not None:
        matter["model-index"] = [_model_index(contents, contents.metrics)]
    return matter


def _model_index(contents: BundleContents, metrics: EvaluationDocument) -> dict[str, Any]:
    values = [{"type": name, "value": round(value, 6)} for name, value in _figures(metrics)]
    data = {"name": contents.provenance.dataset.name, "type": contents.provenance.dataset.name}
    data |= {"split": metrics.split.name}
    task = {"type": "recommendation"}
    return {
        "name": contents.label,
        "results": [{"task": task, "dataset": data, "metrics": values}],
    }


def _figures(metrics: EvaluationDocument) -> list[tuple[str, float]]:
    rating = {} if metrics.rating is None else metrics.rating.model_dump()
    return [*rating.items(), *metrics.ranking.items(), *(metrics.genre or {}).items()]


def _data(contents: BundleContents) -> str:
    dataset, split = contents.provenance.dataset, contents.provenance.split
    params = ", ".join(f"{name} {value}" for name, value in sorted(split.params.items()))
    lines = [
        f"- Data set: {dataset.name}" + (f" ({dataset.homepage})" if dataset.homepage else ""),
        f"- Licence of the data: {dataset.licence or 'not stated; ask its owner before you share'}",
        f"- Cite: {dataset.citation}" if dataset.citation else "",
        f"- Fingerprint of the ratings: `{dataset.fingerprint}`",
        f"- Trained on {len(contents.context.histories):,} ratings: the train part of split "
        f"`{split.name}`, seed {split.seed}" + (f" ({params})" if params else ""),
        f"- Fingerprint of the split: `{split.fingerprint}`",
        f"- Configuration: `experiment.yaml`, fingerprint `{contents.config.fingerprint}`",
    ]
    return "## Training data\n\n" + "\n".join(line for line in lines if line)


def _encoders(contents: BundleContents) -> str:
    lines = [
        f"- {name}: {card.name} ({card.revision}), {card.dim} dimensions, {card.pooling}; licence "
        f"{card.licence}; {card.paper}" + (f". {card.notes}" if card.notes else "")
        for name, card in contents.provenance.encoders.items()
    ]
    return "## Content encoders\n\n" + "\n".join(lines) if lines else ""


def _results(metrics: EvaluationDocument | None) -> str:
    if metrics is None:
        return "## Results\n\nThis model was not evaluated."
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in _figures(metrics))
    return (
        f"## Results\n\nTest part of split `{metrics.split.name}`; ranking over all unseen movies, "
        f"mean over {metrics.n_users:,} users.\n\n| metric | value |\n|---|---:|\n{rows}"
    )
