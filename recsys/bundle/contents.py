"""What a bundle holds, before it is written and after it was read.

Legend: U users, I movies.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from recsys.bundle.manifest import Provenance
from recsys.config.experiment import ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.hashing import fingerprint
from recsys.data.interactions import Interactions
from recsys.errors import AlignmentError, DataError
from recsys.evaluation.report import EvaluationDocument
from recsys.recommenders.joint.content_tower import ContentTower
from recsys.recommenders.joint.embedding_model import EmbeddingModel


@dataclass(frozen=True)
class BundleContents:
    """Everything that is needed to serve a model and to say what it is.

    Attributes:
        config: the experiment, resolved.
        catalogue: the movies; their facts and content vectors are not stored.
        histories: the ratings the model was trained on, with their times where known.
        seen: (U, I) bool CSR of what each user already has, which is train and valid together.
        model: the trained arrays.
        tower: what embeds a movie that comes later.
        provenance: data, split and encoders.
        metrics: the evaluation on test, or None for a model that was not evaluated.

    Raises:
        AlignmentError: parts belong to other movies or users.
        DataError: the model follows another rule or has other sizes than the rest says.
    """

    config: ExperimentConfig
    catalogue: Catalogue
    histories: Interactions
    seen: sp.csr_array
    model: EmbeddingModel
    tower: ContentTower
    provenance: Provenance
    metrics: EvaluationDocument | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", canonical(self.seen))
        self._require_aligned()
        self._require_one_model()

    def _require_aligned(self) -> None:
        if self.histories.items != self.catalogue.items:
            raise AlignmentError(
                f"histories over {self.histories.items!r}, a catalogue over "
                f"{self.catalogue.items!r}",
                hint="read the ratings with the catalogue's vocabulary",
            )
        if self.seen.shape != self.histories.shape:
            raise AlignmentError(f"seen is {self.seen.shape}, histories are {self.histories.shape}")
        if len(self.model.movies) != len(self.catalogue):
            raise AlignmentError(
                f"the model knows {len(self.model.movies)} movies, the catalogue "
                f"{len(self.catalogue)}"
            )

    def _require_one_model(self) -> None:
        expected = self.tower.embed({}).arrays()
        sizes = {name: array.shape[1:] for name, array in self.model.movies.arrays().items()}
        for name, array in expected.items():
            if sizes[name] != array.shape[1:]:
                raise DataError(
                    f"{name} has {sizes[name]} numbers a movie in the model, {array.shape[1:]} in "
                    "the content tower"
                )
        n_genres = len(self.catalogue.genre_names)
        if sizes["genre_logits"] != (n_genres,):
            raise DataError(f"the model knows {sizes['genre_logits']} genres, not {n_genres}")
        if self.model.rule != self.config.user:
            raise DataError("the model makes users by another rule than the experiment's 'user'")

    @cached_property
    def version(self) -> str:
        """A short hash of the trained numbers and of the movies and users they are aligned with."""
        rating = self.model.rating
        levels = astuple(rating.levels) if rating.levels else ((), ())
        constants = (
            *astuple(rating.shrinkage),
            *astuple(rating.scale),
            *(number for numbers in levels for number in numbers),
            rating.user_noise,
            rating.spread,
            rating.vote_std,
        )
        arrays = [*self.model.movies.arrays().items(), *sorted(self.tower.weights.items())]
        named = [part for name, array in arrays for part in (name, array)]
        aligned = (self.histories.users.fingerprint, self.catalogue.items.fingerprint)
        rules = (self.model.rule.model_dump_json(), self.tower.fusion)
        return fingerprint([*aligned, *rules, np.array(constants), *named])[:12]

    @property
    def label(self) -> str:
        """Name and version of the model, as every output states them."""
        return f"{self.model.name}-{self.version}"


def canonical(matrix: sp.csr_array) -> sp.csr_array:
    """A copy as bool with sorted columns: true wherever an entry is stored."""
    marks = np.ones(matrix.nnz, dtype=bool)
    copy = sp.csr_array((marks, matrix.indices.copy(), matrix.indptr.copy()), shape=matrix.shape)
    copy.sum_duplicates()
    return copy
