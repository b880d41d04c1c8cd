"""One of RecBole's models as an ordinary recommender.

Legend: U users, I items, Q queries.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsys.benchmark.recbole.exchange import SCORES, RecBoleReport, WorkerSpec
from recsys.benchmark.recbole.files import write_parts
from recsys.benchmark.recbole.worker import serve
from recsys.data.interactions import Interactions
from recsys.data.split import TrainingData
from recsys.errors import ConfigError, DataError, MissingExtra, RecsysError
from recsys.queries.query import Query
from recsys.recommenders.base import Array, Facts, Recommender
from recsys.subprocesses import Subprocess, TimedOut

REQUIRED: Final = "ray"
"""What RecBole's models need and its wheel, which may be here for its data alone, lacks."""

WITHOUT_NEGATIVES: Final = frozenset(
    ("CDAE", "DiffRec", "ENMF", "LDiffRec", "MacridVAE", "MultiDAE", "MultiVAE", "RaCT", "RecVAE")
)
"""Models that learn from whole users: RecBole wants them told not to sample."""

_SETTINGS: Final[Mapping[str, Any]] = {
    "data_path": ".",
    "checkpoint_dir": "saved",
    # A pre-split data set needs a third part: it gets valid once more, so that nothing RecBole
    # computes, prints or stores can depend on test.
    "benchmark_filename": ["train", "valid", "valid"],
    "load_col": {"inter": ["user_id", "item_id"], "user": ["user_id"], "item": ["item_id"]},
    "use_gpu": False,
    "gpu_id": "",
    "state": "ERROR",
    "show_progress": False,
    "topk": [10],
    "metrics": ["Recall", "MRR", "NDCG", "Hit", "Precision"],
}
# RecBole's checkpoints hold more than weights.
_ENVIRONMENT: Final = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
_DEFAULTS: Final[Mapping[str, Any]] = {
    # Scores held at a time. RecBole's 4,096 is two users of MovieLens-100K.
    "eval_batch_size": 2**17,
}


@dataclass(frozen=True)
class RecBoleConfig:
    """Which model, and how it is fitted.

    Attributes:
        model: RecBole's name of it, such as "EASE".
        options: RecBole's settings, by its names; a list is written as text: "[64, 32]".
        seed: of everything RecBole draws.
        threads: of the numerical libraries in its process.
        seconds: after which a fit is given up; None waits for ever.

    Raises:
        ConfigError: an option is about what the benchmark itself decides, or the seed is not one
            of NumPy's.
    """

    model: str
    options: Mapping[str, bool | int | float | str | None] = field(default_factory=dict)
    seed: int = 2020
    threads: int = 1
    seconds: float | None = 3600.0

    def __post_init__(self) -> None:
        taken = sorted(set(self.options) & {*_SETTINGS, "seed", "dataset", "model"})
        if taken:
            raise ConfigError(
                f"the benchmark decides {', '.join(taken)} of {self.model}",
                hint="leave it out of the options",
            )
        if not 0 <= self.seed < 2**32:
            raise ConfigError(
                f"seed {self.seed} of {self.model}", hint="give one from 0 to 2³² - 1"
            )

    def settings(self) -> dict[str, Any]:
        """All that RecBole is told."""
        sampling = {"train_neg_sample_args": None} if self.model in WITHOUT_NEGATIVES else {}
        return {**_DEFAULTS, **sampling, **self.options, **_SETTINGS, "seed": self.seed}


class RecBoleModel(Recommender):
    """Fitted in a process of its own, on our split; keeps the scores of all its users.

    Early stopping is RecBole's, on valid, by MRR@10 unless ``valid_metric`` is among the options.

    Attributes:
        test: ratings on which RecBole evaluates the scores after they are written, for
            ``report.reference``; they change nothing else. None for no such figures.
        report: what became of the last fit.
    """

    config_class = RecBoleConfig
    facts = Facts(
        "factors", "a model of RecBole", folds_in=False, library=REQUIRED, extra="recbole"
    )
    test: Interactions | None = None
    report: RecBoleReport

    def __init__(self, config: RecBoleConfig) -> None:
        super().__init__(config)
        self.name = f"{config.model} (RecBole)"

    def _fit(self, data: TrainingData) -> Mapping[str, Array]:
        """Train on ``train`` until ``valid`` gets no better; every rating counts as 1.

        Raises:
            MissingExtra: RecBole is not installed, or its data alone.
            DataError: a part is empty.
            RecsysError: RecBole failed or took too long; its last lines are shown.
        """
        if not all(map(find_spec, ("recbole", REQUIRED))):
            raise MissingExtra("what RecBole's models need (Python 3.11)", "recbole")
        with tempfile.TemporaryDirectory(
            prefix="recsys-recbole-", ignore_cleanup_errors=True
        ) as name:
            folder, test = Path(name), self.test
            write_parts(folder, data.train, data.valid, test)
            self.report = self._run(self._spec(data.train, folder, evaluates=test is not None))
            # The pages of a mapped file outlive its name.
            return {"scores": self._finite(np.load(folder / SCORES, mmap_mode="r"))}

    @property
    def parameters(self) -> int:
        """Numbers learnt."""
        return self.report.parameters

    def _spec(self, train: Interactions, folder: Path, *, evaluates: bool) -> WorkerSpec:
        config = self.config
        chosen = list(config.options)
        return WorkerSpec(
            config.model, config.settings(), chosen, config.threads, train.shape, folder, evaluates
        )

    def _run(self, spec: WorkerSpec) -> RecBoleReport:
        hint = "compare its options with RecBole's documentation of the model"
        try:
            with Subprocess(serve, spec, threads=spec.threads, environment=_ENVIRONMENT) as process:
                report: RecBoleReport = process.receive(self.config.seconds)
                return report
        except RecsysError as error:
            if isinstance(error, TimedOut):
                hint = "allow it more seconds, give it fewer epochs, or leave it out"
            raise RecsysError(f"{self.name} has no result: {error.what}", hint=hint) from None

    def _finite(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        bad = int((~np.isfinite(scores)).sum())
        if bad:
            raise RecsysError(
                f"{self.name} has no result: {bad} of its {scores.size} scores are not numbers",
                hint="its training diverged: lower its learning rate",
            )
        return scores

    def score(self, query: Query) -> NDArray[np.float32]:
        """(Q, I) scores by the ratings the users had in training; histories are not looked at.

        Raises:
            NotFittedError: ``fit`` was not called.
            DataError: a user was not there in training, or the movies are others.
        """
        scores = self.arrays()["scores"]
        self._require_items(query, scores.shape[1])
        strangers = np.flatnonzero((query.users < 0) | (query.users >= len(scores)))
        if len(strangers):
            raise DataError(
                f"{self.name} cannot take users who were not there in training: "
                f"{len(strangers)} of {len(query)}",
                rows=[f"query {row}: user row {query.users[row]}" for row in strangers[:5]],
                count=len(strangers),
                hint="ask a model that needs a history alone",
            )
        return np.array(scores[query.users], dtype=np.float32)
