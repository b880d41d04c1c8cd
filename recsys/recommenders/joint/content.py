"""The content half of the item tower, written once for torch tensors and NumPy arrays.

Training runs it on tensors, with gradients; serving runs it on arrays, without torch. Weights
travel as a flat mapping, so that what is trained is what is stored and what is served:

- ``modality/{m}/centre``, ``scale``: how modality m is standardised;
- ``modality/{m}/weight`` (F, D_m), ``bias`` (F,): its projection; ``absent`` (F,): what its lack
  says;
- ``fusion/…``: see ``recsys.recommenders.joint.fusion``;
- ``shared/weight`` (C, F'), ``shared/bias``: the shared encoder;
- ``private/{t}/weight`` (P, F'), ``bias``: the private encoder of task t, where there is one;
- ``role/{r}/weight`` (dim, C [+ P]), and ``bias`` for a head without id offset.

Legend: I movies, M modalities, D_m dimensions of modality m, F fusion dimensions, F' of the fused
vector, C shared and P private dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from array_api_compat import array_namespace

from recsys.config.experiment import ModelConfig
from recsys.recommenders.joint.fusion import Array, fuse

Task = Literal["ranking", "rating", "genre", "audience"]

TASKS: tuple[Task, ...] = ("ranking", "rating", "genre", "audience")


class Head(NamedTuple):
    """A linear reading of a task's representation of a movie.

    Attributes:
        name: of the array it becomes, see ``embedding_model.MovieVectors``.
        task: whose representation is read.
        dim: numbers a movie.
        offset: whether the movie's id adds to the reading. Without it the reading is a function of
            content alone, so that nothing is learnt by heart, and has a bias of its own.
    """

    name: str
    task: Task
    dim: int
    offset: bool


def embedding_heads(model: ModelConfig, n_genres: int) -> tuple[Head, ...]:
    """Every head of a movie, in the order their weights are drawn."""
    return (
        Head("liked", "ranking", model.ranking_dim, offset=True),
        Head("ranked", "ranking", model.ranking_dim, offset=True),
        Head("rank_bias", "ranking", 1, offset=True),
        Head("rating_in", "rating", model.rating_dim, offset=True),
        Head("rating_out", "rating", model.rating_dim, offset=True),
        Head("rating_mean", "rating", 1, offset=True),
        Head("log_variance", "rating", 1, offset=True),
        Head("genre_logits", "genre", n_genres, offset=False),
        Head("audience_mean", "audience", 1, offset=False),
        Head("audience_log_variance", "audience", 1, offset=False),
    )


Weights = Mapping[str, Array]


TASK_OF: Mapping[str, Task] = {head.name: head.task for head in embedding_heads(ModelConfig(), 1)}
"""Every head, and the task it is of."""

_NUMBERS = {"rank_bias", "rating_mean", "log_variance", "audience_mean", "audience_log_variance"}
"""Heads that read one number of a movie."""


class Encoded(NamedTuple):
    """Content as the tasks see it.

    Attributes:
        shared: (I, C), which every task reads.
        private: task to (I, P), which that task alone reads; empty when everything is shared.
        modality_weights: (I, M) how far each modality counts; a row sums to one.
    """

    shared: Array
    private: dict[Task, Array]
    modality_weights: Array

    def of(self, task: Task) -> Array:
        """(I, C + P) what a task reads."""
        if task not in self.private:
            return self.shared
        xp = array_namespace(self.shared)
        return xp.concat([self.shared, self.private[task]], axis=1)


def modality_names(weights: Weights) -> tuple[str, ...]:
    """The modalities the weights read, in their order."""
    found = (k.removeprefix("modality/") for k in weights if k.startswith("modality/"))
    return tuple(sorted(k.removesuffix("/centre") for k in found if k.endswith("/centre")))


def standardise(x: Array, weights: Weights, name: str) -> Array:
    """(I, D_m) centred and divided by the root mean square of its entries."""
    return (x - weights[f"modality/{name}/centre"]) / weights[f"modality/{name}/scale"]


def code(standard: Array, weights: Weights, name: str) -> Array:
    """(I, F) of standardised (I, D_m): ``u_m = tanh(W_m x_m + b_m)``."""
    xp = array_namespace(standard)
    projected = standard @ weights[f"modality/{name}/weight"].T + weights[f"modality/{name}/bias"]
    return xp.tanh(projected)


def encode(kind: str, codes: Array, present: Array, weights: Weights) -> Encoded:
    """Fuse what is there, then encode it for all tasks and for each.

    ``h = fuse(u, present)``, ``s = tanh(W_s h + b_s)``, ``p_t = tanh(W_t h + b_t)``.

    Args:
        kind: of fusion.
        codes: (I, M, F) in the order of ``modality_names``.
        present: (I, M) 1 where a movie has a modality, else 0.
        weights: of the tower.
    """
    absent = _stacked_absent(codes, weights)
    own = {k.removeprefix("fusion/"): w for k, w in weights.items() if k.startswith("fusion/")}
    fused = fuse(kind, codes, present, absent, own)
    private = {
        task: _encoder(fused.vectors, weights, f"private/{task}")
        for task in TASKS
        if f"private/{task}/weight" in weights
    }
    return Encoded(_encoder(fused.vectors, weights, "shared"), private, fused.weights)


def read(encoded: Encoded, weights: Weights, head: str, task: Task) -> Array:
    """(I, dim) what a head reads of its task's representation, before any id offset."""
    reading = encoded.of(task) @ weights[f"role/{head}/weight"].T
    bias = weights.get(f"role/{head}/bias")
    return reading if bias is None else reading + bias


def in_units(read: Mapping[str, Array], temperature: Any, mean: Any) -> dict[str, Array]:
    """What the heads read, in the units it is used in.

    Scores are divided by the temperature, and stars are around the mean; (I, 1) become (I,).
    """
    arrays = {name: some[:, 0] if name in _NUMBERS else some for name, some in read.items()}
    stars = {name: arrays[name] + mean for name in ("rating_mean", "audience_mean")}
    return {**arrays, **stars, "ranked": arrays["ranked"] / temperature}


def _encoder(h: Array, weights: Weights, name: str) -> Array:
    xp = array_namespace(h)
    return xp.tanh(h @ weights[f"{name}/weight"].T + weights[f"{name}/bias"])


def _stacked_absent(codes: Array, weights: Weights) -> Array:
    xp = array_namespace(codes)
    names = modality_names(weights)
    if not names:
        return xp.reshape(codes, (0, codes.shape[2]))
    return xp.stack([weights[f"modality/{name}/absent"] for name in names], axis=0)
