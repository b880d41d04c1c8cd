"""From a movie's content and its id to its embedding, as a torch module.

The forward pass of the content is ``recsys.recommenders.joint.content``; this module holds its
weights, drops things at random in training and adds the id offsets.

Legend: I movies, M modalities, D_m dimensions of modality m, F fusion dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsys.config.experiment import FusionConfig, SharingConfig
from recsys.data.catalogue import ModalityTable
from recsys.recommenders.joint import content
from recsys.recommenders.joint.content import TASKS, Encoded, Head
from recsys.recommenders.joint.fusion import fused_dim, fusion_shapes
from recsys.recommenders.joint.sharing import private_dim
from recsys.recommenders.joint.weights import generator, uniform

_OFFSET_SPREAD = 0.05


class Dropout(NamedTuple):
    """What training leaves out at random, so that nothing is relied on alone.

    Attributes:
        feature: share of the entries of the content vectors.
        modality: share of each movie's modalities (ModDrop, Neverova et al. 2016).
        offset: share of the movies' id offsets (DropoutNet, Volkovs et al. 2017).
    """

    feature: float = 0.0
    modality: float = 0.0
    offset: float = 0.0


NO_DROPOUT = Dropout()


@dataclass(frozen=True)
class TowerConfig:
    """What a tower is made of.

    Attributes:
        fusion: how modalities become one vector.
        sharing: what the tasks share.
        heads: what is read of a movie.
        seed: root seed of the initial weights.
    """

    fusion: FusionConfig
    sharing: SharingConfig
    heads: Sequence[Head]
    seed: int


class MovieEmbedding(NamedTuple):
    """What the tower makes of all movies.

    Attributes:
        encoded: the content, which no id enters.
        heads: head to (I, dim): read of the content, plus the id offset where it has one.
    """

    encoded: Encoded
    heads: dict[str, Tensor]


class ItemTower(nn.Module):
    """Every head r of movie i: ``W_r [s_i; p_it] + δ_ir``, of content and of id.

    δ_i is zero, and stays zero, for a movie nobody rated in training: such a movie is its content
    here, and is placed by ``recsys.recommenders.joint.placement`` when the model is served.
    Every weight draws from a stream of its own, so changing one modality's features leaves all
    other initial weights as they were.

    Args:
        tables: modality name to table; possibly none, then the movies are their offsets.
        warm: (I,) bool, whether a movie was rated in training.
        config: what the tower is made of.
    """

    warm: Tensor
    available: Tensor

    def __init__(
        self, tables: Mapping[str, ModalityTable], warm: NDArray[np.bool_], config: TowerConfig
    ) -> None:
        super().__init__()
        self.config = config
        self.names = sorted(tables)
        self.register_buffer("warm", torch.from_numpy(warm.astype(np.float32))[:, None])
        self.learnt = nn.ParameterDict()
        for name in self.names:
            self._add_modality(name, tables[name])
        present = [tables[name].present for name in self.names]
        mask = np.stack(present, axis=1) if present else np.zeros((len(warm), 0))
        self.register_buffer("available", torch.from_numpy(mask.astype(np.float32)), False)
        self._add_encoders()
        self.offsets = nn.ParameterDict()
        for head in config.heads:
            self._add_head(head)

    def _add_modality(self, name: str, table: ModalityTable) -> None:
        prefix, dim = f"modality/{name}", self.config.fusion.dim
        vectors = torch.from_numpy(table.vectors[table.present])
        some = len(vectors) > 0
        centre = vectors.mean(dim=0) if some else torch.zeros(table.card.dim)
        rms = (vectors - centre).square().mean().sqrt() if some else torch.ones(())
        self.register_buffer(f"{prefix}/centre", centre)
        self.register_buffer(f"{prefix}/scale", rms.clamp(min=1e-6))
        self._learn(f"{prefix}/weight", (dim, table.card.dim), f"project/{name}")
        self._learn(f"{prefix}/bias", (dim,))
        self._learn(f"{prefix}/absent", (dim,))
        standard = content.standardise(vectors, self.weights(), name)
        self.register_buffer(f"standard/{name}", standard, persistent=False)
        rows = torch.from_numpy(np.flatnonzero(table.present))
        self.register_buffer(f"rows/{name}", rows, persistent=False)

    def _add_encoders(self) -> None:
        fusion, sharing = self.config.fusion, self.config.sharing
        for name, shape in fusion_shapes(fusion.kind, len(self.names), fusion.dim).items():
            self._learn(f"fusion/{name}", shape, f"fusion/{name}")
        inputs = fused_dim(fusion.kind, len(self.names), fusion.dim)
        self._add_encoder("shared", sharing.shared_dim, inputs)
        if private_dim(sharing):
            for task in TASKS:
                self._add_encoder(f"private/{task}", sharing.private_dim, inputs)

    def _add_encoder(self, name: str, outputs: int, inputs: int) -> None:
        self._learn(f"{name}/weight", (outputs, inputs), name)
        self._learn(f"{name}/bias", (outputs,))

    def _add_head(self, head: Head) -> None:
        inputs = self.config.sharing.shared_dim + private_dim(self.config.sharing)
        self._learn(f"role/{head.name}/weight", (head.dim, inputs), f"role/{head.name}")
        if not head.offset:
            self._learn(f"role/{head.name}/bias", (head.dim,))
            return
        shape = (len(self.warm), head.dim)
        rng = generator(self.config.seed, f"offsets/{head.name}")
        spread = _OFFSET_SPREAD if head.dim > 1 else 0.0
        self.offsets[head.name] = nn.Parameter(spread * torch.randn(shape, generator=rng))

    def _learn(self, key: str, shape: tuple[int, ...], stream: str = "") -> None:
        """A matrix is drawn from its stream, a vector starts at zero."""
        drawn = len(shape) == 2 and stream
        rng = generator(self.config.seed, stream)
        value = uniform(*shape, rng=rng) if drawn else torch.zeros(shape)
        self.learnt[key] = nn.Parameter(value)

    def weights(self) -> dict[str, Tensor]:
        """All weights of the content half by name, see ``recsys.recommenders.joint.content``."""
        found: dict[str, Tensor] = dict(self.learnt.items())
        kept = ("/centre", "/scale")
        return found | {key: b for key, b in self.named_buffers() if key.endswith(kept)}

    def present(self, name: str) -> Tensor:
        """(I,) bool, which movies have a modality."""
        return self.available[:, self.names.index(name)] > 0

    def code_parameters(self, name: str) -> list[nn.Parameter]:
        """What turns a modality into its code."""
        return [self.learnt[f"modality/{name}/{part}"] for part in ("weight", "bias")]

    def code(self, name: str, rows: Tensor | None = None, dropout: float = 0.0) -> Tensor:
        """(I, F) codes of all movies, or of some; zero where the modality is absent.

        Args:
            name: of the modality.
            rows: movies.
            dropout: share of the features left out, in training mode.
        """
        standard = self.get_buffer(f"standard/{name}")
        kept = functional.dropout(standard, dropout, self.training)
        codes: Tensor = content.code(kept, self.weights(), name)
        everything = codes.new_zeros(len(self.warm), codes.shape[1])
        everything = everything.index_copy(0, self.get_buffer(f"rows/{name}"), codes)
        return everything if rows is None else everything[rows]

    def encode(self, dropout: Dropout = NO_DROPOUT) -> Encoded:
        """The content of all movies."""
        present = self.available
        if self.training and dropout.modality:
            present = present * (torch.rand_like(present) >= dropout.modality)
        codes = [self.code(name, dropout=dropout.feature) for name in self.names]
        nothing = self.warm.new_zeros(len(self.warm), 0, self.config.fusion.dim)
        stacked = torch.stack(codes, dim=1) if codes else nothing
        return content.encode(self.config.fusion.kind, stacked, present, self.weights())

    def forward(self, dropout: Dropout = NO_DROPOUT) -> MovieEmbedding:
        """Embed all movies; nothing is dropped in evaluation mode."""
        encoded, weights = self.encode(dropout), self.weights()
        keep = self.warm
        if self.training and dropout.offset:
            keep = keep * (torch.rand_like(keep) >= dropout.offset)
        readings: dict[str, Tensor] = {}
        for head in self.config.heads:
            reading = content.read(encoded, weights, head.name, head.task)
            if head.offset:
                reading = reading + keep * self.offsets[head.name]
            readings[head.name] = reading
        return MovieEmbedding(encoded, readings)
