"""Measure the joint model, its variants and the baselines on MovieLens-100K; write SPINE.md.

    python benchmarks/spine.py                  measure what is not measured yet, then write
    python benchmarks/spine.py --tables-only    write from the results that are there

One results file a split and seed, in ``benchmarks/results/``. A file is measured again only when a
configuration it was measured with has changed, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from recsys.experiment.evaluate import (
    Candidate,
    Material,
    fit_baseline,
    judge,
    limited_threads,
    results_of,
)
from recsys.experiment.prepare import Prepared, prepare
from recsys.experiment.train import train
from spine_report import write_documents

from recsys.config.experiment import ExperimentConfig
from recsys.config.loading import load_experiment
from recsys.evaluation.report import ResultRow, ResultsDocument

RESULTS = Path(__file__).parent / "results"
BASELINES = ("popularity", "bias", "item-knn", "ease")
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "joint": ("default", ()),
    "joint, every rating": ("all-ratings", ()),
    "joint, no teacher": ("default", ("losses.distillation=0", "losses.ranking=1")),
    "joint, no content": ("default", ("features.text=null", "features.metadata=null")),
}
PROTOCOLS = (
    *(("ro", seed) for seed in range(2020, 2025)),
    *((f"u{fold}", 2020) for fold in range(1, 6)),
    *(("cold-items", seed) for seed in range(2020, 2025)),
)
THREADS = 2


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing")
    if not parser.parse_args().tables_only:
        for number, (name, seed) in enumerate(PROTOCOLS, start=1):
            print(f"[{number}/{len(PROTOCOLS)}] {name}, seed {seed}", file=sys.stderr, flush=True)
            measure(name, seed)
    write_documents(RESULTS)


def configurations(name: str, seed: int) -> dict[str, ExperimentConfig]:
    """Every variant on one split; split and training share the seed."""
    place = (f"split.name={name}", f"split.seed={seed}", f"seed={seed}")
    return {
        variant: load_experiment(base, (*overrides, *place))
        for variant, (base, overrides) in VARIANTS.items()
    }


def combined_fingerprint(configs: dict[str, ExperimentConfig]) -> str:
    """One hash of all configurations of a results file."""
    parts = "".join(f"{name}={config.fingerprint};" for name, config in configs.items())
    return hashlib.sha256(parts.encode()).hexdigest()


def measure(name: str, seed: int) -> None:
    """Measure all rows of one split, unless the file that is there has the same configurations."""
    path = RESULTS / f"spine-{name}-{seed}.json"
    configs = configurations(name, seed)
    fingerprint = combined_fingerprint(configs)
    if path.is_file() and ResultsDocument.load(path).config == fingerprint:
        return
    with limited_threads(THREADS):
        rows = list(_rows(configs))
    prepared = prepare(configs["joint"])
    document = results_of(rows, prepared.split, configs["joint"])
    document.model_copy(update={"config": fingerprint}).save(path)


def _rows(configs: dict[str, ExperimentConfig]) -> Iterator[ResultRow]:
    for variant, config in configs.items():
        print(f"    {variant}", file=sys.stderr, flush=True)
        prepared = prepare(config)
        yield judge(_trained(variant, prepared), Material.of(prepared))
    material = Material.of(prepare(configs["joint"]))
    for name in BASELINES:
        yield judge(fit_baseline(name, material), material)


def _trained(variant: str, prepared: Prepared) -> Candidate:
    trained = train(prepared)
    recommender, model = trained.recommender, trained.recommender.model
    return dataclasses.replace(
        Candidate(variant, model, model, model.genre_probabilities()),
        seed=prepared.config.seed,
        fit_seconds=trained.seconds,
        parameters=recommender.parameters,
        audience=model.audience(),
    )


if __name__ == "__main__":
    main()
