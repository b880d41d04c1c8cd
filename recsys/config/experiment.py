"""Everything an experiment is, as one frozen, checked object.

Defaults are the values of ``configs/default.yaml``; a configuration file states only what differs.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from recsys.config.modalities import MODALITIES, FeaturesConfig
from recsys.config.section import Section
from recsys.config.sources import SourcesConfig
from recsys.documents import json_fingerprint
from recsys.errors import nearest


class DataConfig(Section):
    """Which ratings and movies."""

    name: str = "ml-100k"
    on_bad_row: Literal["error", "quarantine"] = "error"


class SplitConfig(Section):
    """Which part trains, which chooses, which is reported."""

    name: str = "ro"
    seed: int = 2020


class UserConfig(Section):
    """How a history becomes a user: the weighted mean of the movies the user liked.

    A rating r of movie j weighs ``(1 + rating_slope · (r − rating_center)) · pop_j^−e``, e being
    ``popularity_exponent``, when it is at least ``liked_min_rating``, and nothing otherwise.
    """

    liked_min_rating: float = 4.0
    rating_slope: float = Field(default=0.0, ge=0)
    rating_center: float = 3.5
    popularity_exponent: float = Field(default=0.13, ge=0, le=1)


class FusionConfig(Section):
    """How the modalities of a movie become one vector; see ``recsys.recommenders.joint.fusion``."""

    kind: Literal["sum", "concat", "gated", "sparse"] = "sum"
    dim: PositiveInt = 64


class SharingConfig(Section):
    """What the tasks share of a movie's content; see ``recsys.recommenders.joint.sharing``.

    ``fs``: one shared encoder. ``sp``: that and a private encoder a task. ``asp``: ``sp`` and two
    penalties: a task discriminator behind gradient reversal, and what shared and private have in
    common.
    """

    scheme: Literal["fs", "sp", "asp"] = "fs"
    shared_dim: PositiveInt = 64
    private_dim: NonNegativeInt = 32
    adversarial: float = Field(default=0.05, ge=0)
    orthogonality: float = Field(default=0.05, ge=0)
    discriminator_dim: PositiveInt = 32


class ModelConfig(Section):
    """Sizes of the movie embedding, and how stars are distributed around their expectation."""

    ranking_dim: PositiveInt = 128
    rating_dim: PositiveInt = 32
    temperature: PositiveFloat = 1 / 3
    user_bias_shrinkage: PositiveFloat = 5.0
    user_vector_shrinkage: PositiveFloat = 5.0
    rating_likelihood: Literal["gaussian", "ordinal"] = "gaussian"


class LossWeights(Section):
    """What each task contributes to the joint loss; 0 switches it off."""

    ranking: float = Field(default=0.5, ge=0)
    distillation: float = Field(default=0.5, ge=0)
    rating: float = Field(default=1.0, ge=0)
    genre: float = Field(default=1.0, ge=0)
    audience: float = Field(default=0.1, ge=0)

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("every loss has weight 0, so there is nothing to learn")
        return self


class TeacherConfig(Section):
    """The closed-form ranking model whose preferences are distilled."""

    l2: PositiveFloat = 300.0
    temperature: PositiveFloat = 1.5


class PlacementConfig(Section):
    """Where movies that nobody rated are placed; see ``recsys.recommenders.joint.placement``.

    ``regression``: where regression from content to what was learnt of the rated movies puts them.
    ``content``: where the content encoder puts them, their id offset being zero. ``stretch`` is how
    far regression's lists may be stretched to reach among those of rated movies; 1: not at all.
    """

    kind: Literal["regression", "content"] = "regression"
    ridge: PositiveFloat = 1.5
    weights: dict[str, NonNegativeFloat] = Field(default={"metadata": 3.0})
    stretch: float = Field(default=1.0, ge=1)


class AlignmentConfig(Section):
    """Contrastive pre-training of one modality against another; 0 epochs switch it off."""

    epochs: NonNegativeInt = 0
    anchor: str = "text"
    target: str = "metadata"
    temperature: PositiveFloat = 0.1
    batch_size: int = Field(default=256, ge=2)
    learning_rate: PositiveFloat = 1e-3
    weight_decay: float = Field(default=0.1, ge=0)
    feature_dropout: float = Field(default=0.5, ge=0, lt=1)
    held_out: float = Field(default=0.1, ge=0, lt=1)


class TrainingConfig(Section):
    """The loop."""

    epochs: PositiveInt = 100
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 5e-3
    offset_decay: float = Field(default=1.0, ge=0)
    content_decay: float = Field(default=1.0, ge=0)
    history_dropout: float = Field(default=0.5, gt=0, lt=1)
    feature_dropout: float = Field(default=0.2, ge=0, lt=1)
    modality_dropout: float = Field(default=0.1, ge=0, lt=1)
    offset_dropout: float = Field(default=0.1, ge=0, lt=1)
    evaluate_every: PositiveInt = 5
    patience: PositiveInt = 6
    monitor: dict[str, float] = Field(default={"ndcg@10": 1.0, "rmse": -1.0}, min_length=1)
    calibrate: bool = True
    checkpoint_seconds: float = Field(default=30.0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: PositiveInt = 2


class EvaluationConfig(Section):
    """What is reported."""

    ks: tuple[PositiveInt, ...] = Field(default=(5, 10, 20), min_length=1)
    block: PositiveInt = 512


class RecommenderConfig(Section):
    """Which model of ``recsys.recommenders.registry``, and its hyper-parameters.

    Those of ``joint`` are the sections of the experiment itself.
    """

    name: str = "joint"
    options: dict[str, bool | int | float | str | None] = Field(default={})

    @model_validator(mode="after")
    def _joint_has_sections(self) -> Self:
        if self.name == "joint" and self.options:
            raise ValueError("the hyper-parameters of joint are the sections of the experiment")
        return self


class ExperimentConfig(Section):
    """One experiment, resolved.

    Everything from ``user`` to ``training`` is of the joint model alone.
    """

    name: str = "default"
    seed: int = 0
    data: DataConfig = DataConfig()
    sources: SourcesConfig = Field(default_factory=SourcesConfig)
    split: SplitConfig = SplitConfig()
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    user: UserConfig = UserConfig()
    fusion: FusionConfig = FusionConfig()
    sharing: SharingConfig = SharingConfig()
    model: ModelConfig = ModelConfig()
    losses: LossWeights = LossWeights()
    teacher: TeacherConfig = TeacherConfig()
    placement: PlacementConfig = PlacementConfig()
    alignment: AlignmentConfig = AlignmentConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    recommender: RecommenderConfig = Field(
        default=RecommenderConfig(), exclude_if=lambda chosen: chosen.name == "joint"
    )

    @model_validator(mode="after")
    def _placed_by_known_modalities(self) -> Self:
        known = [*MODALITIES, *self.sources.features]
        for name in self.placement.weights:
            if name not in known:
                close = ", ".join(nearest(name, known) or known)
                raise ValueError(f"placement.weights names no modality {name!r}, perhaps: {close}")
        return self

    @property
    def fingerprint(self) -> str:
        """A hash of every value but the name: equal experiments share it."""
        return json_fingerprint(self.model_dump(mode="json", exclude={"name"}))
