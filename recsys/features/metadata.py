"""People, companies, countries, subjects and the year of a movie as one modality.

Each fact is a multi-hot of the values that several movies share, weighted by inverse document
frequency, ``log(I / n)`` for a value of n movies, and scaled to length 1 a movie, so that a long
cast weighs no more than one director. A fact that is a number, such as the runtime, counts as the
tenth of the movies it falls in. The facts side by side are reduced by a truncated SVD. The
year is a row of Gaussians, so that neighbouring years look alike.

Scale: over the movies that have facts, the root mean square length of the facts' part is 1; over
the movies with a known year, that of the year's part is ``year_weight``. A part that a movie lacks
is zero.

Legend: I items, V values of one fact, R dimensions kept, C year centres.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.config.modalities import STANDARD_FIELDS, MetadataConfig, refuse_labels
from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue, EncoderCard, ModalityTable
from recsys.errors import ConfigError, nearest
from recsys.features.reduction import NEGLIGIBLE, normalise_rows, truncated_svd

TENTHS = 10
YEAR_STEP, YEAR_WIDTH = 5, 4
FIRST_YEAR, LAST_YEAR = 1885, 2050
"""Years are clipped to these: one mistyped year must not add a thousand columns."""


class MetadataEncoder:
    """Facts and year of all movies. It depends on all of them at once, so it is never cached."""

    name = "metadata"

    def __init__(self, config: MetadataConfig) -> None:
        self.config = config

    @property
    def card(self) -> EncoderCard:
        """How vectors are made; ``dim`` is the most it can be."""
        facts = ", ".join(f"{name} × {weight:g}" for name, weight in self.config.fields.items())
        return EncoderCard(
            name="metadata: multi-hot, IDF, truncated SVD; year: Gaussian basis",
            revision=f"fitted to the catalogue, seed {self.config.seed}",
            dim=self.config.dim + (LAST_YEAR - FIRST_YEAR) // YEAR_STEP + 1,
            preprocessing=f"values of {self.config.min_movies} movies or more, numbers in "
            f"tenths, of: {facts}; year in "
            f"steps of {YEAR_STEP}, width {YEAR_WIDTH}, weight {self.config.year_weight:g}",
            pooling="facts side by side, unit length each, then the year",
            licence="that of the catalogue's facts",
            paper="Halko, Martinsson and Tropp, SIAM Review 53(2), 2011",
        )

    def encode(self, catalogue: Catalogue) -> ModalityTable:
        """Vectors of all movies.

        A movie is present when it has a fact that is shared with another movie, or a year: a fact
        that no other movie has says nothing that could be compared.

        Raises:
            ConfigError: a field names genres, or is neither standard nor in the catalogue.
            MissingExtra: scikit-learn is not installed.
        """
        facts = self._facts(catalogue)
        years = year_basis(catalogue.years) if self.config.year_weight else facts[:, :0]
        vectors = np.hstack([unit_scale(facts), self.config.year_weight * unit_scale(years)])
        return ModalityTable(
            name=self.name,
            vectors=vectors.astype(np.float32),
            present=has_content(facts) | has_content(years),
            card=replace(self.card, dim=vectors.shape[1]),
            items=catalogue.items.fingerprint,
        )

    def _facts(self, catalogue: Catalogue) -> NDArray[np.float64]:
        """(I, R) reduced facts."""
        refuse_labels(self.config.fields)
        blocks = [sp.csr_array((len(catalogue), 0))]
        for name, weight in self.config.fields.items():
            if name in catalogue.facts:
                values = in_tenths(catalogue.facts[name])
                blocks.append(weight * weighted_multi_hot(values, self.config.min_movies))
            elif name not in STANDARD_FIELDS:
                raise _unknown_field(name, catalogue)
        stacked = sp.csr_array(sp.hstack(blocks, format="csr"))
        return truncated_svd(stacked, self.config.dim, self.config.seed)


def _unknown_field(name: str, catalogue: Catalogue) -> ConfigError:
    known = [*catalogue.facts, *STANDARD_FIELDS]
    close = "; ".join(nearest(name, known)) or ", ".join(catalogue.facts) or "none"
    return ConfigError(
        f"metadata: the catalogue has no fact {name!r}", hint=f"the facts to choose from: {close}"
    )


def in_tenths(values: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    """Numbers replaced by the tenth of the known movies they fall in; other values as they are.

    A fact is a number when every movie has at most one value, all of them are numbers, and there
    are more of them than tenths.
    """
    known = [found[0] for found in values if found]
    if max(map(len, values), default=0) != 1 or len(set(known)) <= TENTHS:
        return values
    try:
        numbers = np.array([float(value) for value in known])
    except ValueError:
        return values
    edges = np.quantile(numbers, np.arange(1, TENTHS) / TENTHS)
    tenth = iter(np.searchsorted(edges, numbers, side="right").tolist())
    return [(f"tenth {next(tenth)}",) if found else () for found in values]


def weighted_multi_hot(values: Sequence[tuple[str, ...]], min_movies: int) -> sp.csr_array:
    """(I, V) values shared by ``min_movies`` movies or more, IDF-weighted, rows of length 1.

    A value that every movie has weighs nothing.
    """
    distinct = [sorted(set(found) - {""}) for found in values]
    counts = Counter(chain.from_iterable(distinct))
    shared = sorted(value for value, n in counts.items() if n >= min_movies)
    column = {value: position for position, value in enumerate(shared)}
    rows = [[column[value] for value in found if value in column] for found in distinct]
    indices = np.fromiter(chain.from_iterable(rows), dtype=np.int32)
    indptr = np.cumsum([0, *map(len, rows)])
    idf = np.log(len(values) / np.array([counts[value] for value in shared], dtype=np.float64))
    matrix = sp.csr_array((idf[indices], indices, indptr), (len(values), len(shared)))
    return normalise_rows(matrix)


def year_basis(years: NDArray[np.int32]) -> NDArray[np.float64]:
    """(I, C) ``exp(-½ ((year - centre) / 4)²)``, a centre every five years over the known ones.

    Rows of unknown years are zero; C is 0 where no year is known.
    """
    known = years != UNKNOWN_YEAR
    if not known.any():
        return np.zeros((len(years), 0))
    clipped = np.clip(years, FIRST_YEAR, LAST_YEAR)
    low, high = clipped[known].min(), clipped[known].max()
    first, last = low // YEAR_STEP * YEAR_STEP, -(-high // YEAR_STEP) * YEAR_STEP
    centres = np.arange(first, last + 1, YEAR_STEP)
    basis = np.exp(-0.5 * ((clipped[:, None] - centres) / YEAR_WIDTH) ** 2)
    return np.where(known[:, None], basis, 0.0)


def has_content(block: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(I,) which rows of a block are longer than rounding noise."""
    lengths = np.linalg.norm(block, axis=1)
    return np.asarray(lengths > NEGLIGIBLE * lengths.max(initial=0))


def unit_scale(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """The block, its rows that have content of root mean square length 1, the others zero."""
    filled = has_content(block)
    if not filled.any():
        return block
    lengths = np.linalg.norm(block[filled], axis=1)
    return np.where(filled[:, None], block / np.sqrt(np.mean(lengths**2)), 0.0)
