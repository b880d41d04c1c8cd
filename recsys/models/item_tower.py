"""From a movie's content and its id to its embedding.

Legend: I movies, D_m dimensions of modality m, C content dimensions, V vector and S scalar slots of
the movie embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.catalogue import ModalityTable
from recsys.seeding import seed_for


@dataclass(frozen=True)
class TowerSizes:
    """C, V and S."""

    content: int
    vectors: int
    scalars: int


class Dropout(NamedTuple):
    """What training leaves out at random, so that nothing is relied on alone.

    Attributes:
        feature: share of the entries of the content vectors.
        modality: share of each movie's modalities (ModDrop, Neverova et al. 2016).
        offset: share of the id offsets (DropoutNet, Volkovs et al. 2017).
    """

    feature: float = 0.0
    modality: float = 0.0
    offset: float = 0.0


NO_DROPOUT = Dropout()


class MovieEmbedding(NamedTuple):
    """What the tower makes of all movies.

    Attributes:
        content: (I, C) fused content, which no id enters.
        vectors: (I, V) content plus id offset.
        scalars: (I, S) content plus id offset.
    """

    content: Tensor
    vectors: Tensor
    scalars: Tensor


def generator(seed: int, name: str) -> torch.Generator:
    """A torch generator for one named purpose."""
    return torch.Generator().manual_seed(seed_for(seed, name))


def linear(inputs: int, outputs: int, *, rng: torch.Generator, bias: bool = True) -> nn.Linear:
    """A linear layer, uniform within ±1/√inputs, drawn from its own generator; its bias is zero."""
    with torch.random.fork_rng(devices=[]):  # the constructor draws weights that are replaced here
        layer = nn.Linear(inputs, outputs, bias=bias)
    bound = inputs**-0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=rng)
        if bias:
            layer.bias.zero_()
    return layer


class Projection(nn.Module):
    """Standardise one modality, then map it to the content space.

    Vectors are centred and divided by the root mean square of their entries, both taken over the
    movies that have the modality; the two are stored, so a later movie is treated alike.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, table: ModalityTable, content: int, seed: int) -> None:
        super().__init__()
        present = torch.from_numpy(table.vectors[table.present])
        centre = present.mean(dim=0) if len(present) else torch.zeros(table.card.dim)
        rms = (present - centre).square().mean().sqrt() if len(present) else torch.ones(())
        self.register_buffer("centre", centre)
        self.register_buffer("scale", rms.clamp(min=1e-6))
        self.linear = linear(table.card.dim, content, rng=generator(seed, f"project/{table.name}"))
        self.absent = nn.Parameter(torch.zeros(content))

    def forward(self, x: Tensor, dropout: float = 0.0) -> Tensor:
        """(I, D_m) to (I, C)."""
        standard = (x - self.centre) / self.scale
        projected: Tensor = self.linear(functional.dropout(standard, dropout, self.training))
        return projected

    def weights(self, name: str) -> dict[str, Tensor]:
        """Everything needed to repeat ``forward`` elsewhere, by ``{name}/…``."""
        return {
            f"{name}/centre": self.centre,
            f"{name}/scale": self.scale,
            f"{name}/weight": self.linear.weight,
            f"{name}/bias": self.linear.bias,
            f"{name}/absent": self.absent,
        }


class ItemTower(nn.Module):
    """``z_i = W c_i + δ_i``, ``c_i = tanh(mean over P_i of project_m(x_im) + Σ a_m / M)``.

    P_i are the modalities movie i has, of M in all; the sum runs over those it lacks, a_m being
    what the lack of modality m says. A movie with nothing but a title is embedded from its title.

    δ_i is zero, and stays zero, for a movie nobody rated in training: such a movie is its content.
    Every modality and the offsets draw from streams of their own, so changing one modality's
    features leaves all other initial weights as they were.

    Args:
        tables: modality name to table; possibly none, then the movies are their offsets.
        warm: (I,) bool, whether a movie was rated in training.
        sizes: C, V and S.
        seed: root seed of the initial weights.
    """

    warm: Tensor

    def __init__(
        self,
        tables: Mapping[str, ModalityTable],
        warm: NDArray[np.bool_],
        sizes: TowerSizes,
        seed: int,
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.names = sorted(tables)
        self.register_buffer("warm", torch.from_numpy(warm.astype(np.float32))[:, None])
        for name in self.names:
            self.register_buffer(f"x_{name}", torch.tensor(tables[name].vectors), persistent=False)
            present = torch.tensor(tables[name].present, dtype=torch.float32)[:, None]
            self.register_buffer(f"present_{name}", present, persistent=False)
        self.project = nn.ModuleDict(
            {name: Projection(tables[name], sizes.content, seed) for name in self.names}
        )
        self.to_vectors = linear(
            sizes.content, sizes.vectors, rng=generator(seed, "to_vectors"), bias=False
        )
        self.to_scalars = linear(
            sizes.content, sizes.scalars, rng=generator(seed, "to_scalars"), bias=False
        )
        offsets = torch.randn(len(warm), sizes.vectors, generator=generator(seed, "offsets"))
        self.vector_offsets = nn.Parameter(0.05 * offsets)
        self.scalar_offsets = nn.Parameter(torch.zeros(len(warm), sizes.scalars))

    def projection(self, name: str) -> Projection:
        """The projection of one modality."""
        module = self.project[name]
        if not isinstance(module, Projection):
            raise TypeError(f"{name} is projected by {type(module).__name__}")
        return module

    def content(self, dropout: Dropout = NO_DROPOUT) -> Tensor:
        """(I, C) fused content."""
        total = self.warm.new_zeros(len(self.warm), self.sizes.content)
        missing, count = torch.zeros_like(total), self.warm.new_zeros(len(self.warm), 1)
        for name in self.names:
            present = self.get_buffer(f"present_{name}")
            if self.training and dropout.modality:
                present = present * (torch.rand_like(present) >= dropout.modality)
            projection = self.projection(name)
            total = total + present * projection(self.get_buffer(f"x_{name}"), dropout.feature)
            missing = missing + (1 - present) * projection.absent
            count = count + present
        return torch.tanh(total / count.clamp(min=1) + missing / max(len(self.names), 1))

    def forward(self, dropout: Dropout = NO_DROPOUT) -> MovieEmbedding:
        """Embed all movies; nothing is dropped in evaluation mode."""
        content = self.content(dropout)
        keep = self.warm
        if self.training and dropout.offset:
            keep = keep * (torch.rand_like(keep) >= dropout.offset)
        return MovieEmbedding(
            content,
            self.to_vectors(content) + keep * self.vector_offsets,
            self.to_scalars(content) + keep * self.scalar_offsets,
        )
