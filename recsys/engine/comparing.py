"""Movies that are alike.

Legend: I movies, D dimensions, k list length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import BundleContents
from recsys.data.catalogue import Catalogue
from recsys.engine.movies import facts_of, name_of, shortage
from recsys.engine.results import SimilarMovie, SimilarMovies
from recsys.queries.topk import top_k
from recsys.recommenders.joint.embedding_model import EmbeddingModel, Floats


def directions(model: EmbeddingModel) -> Floats:
    """(I, D) out-embeddings of length one, the bias left out; zero for a movie without one."""
    vectors = model.movies.ranked[:, :-1]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def similar_movies(contents: BundleContents, towards: Floats, row: int, k: int) -> SimilarMovies:
    """The k films nearest to a movie.

    Args:
        contents: the movies and the model.
        towards: (I, D) see ``directions``.
        row: the movie that is asked about.
        k: how many are asked for.
    """
    cosine = np.clip(towards @ towards[row], -1, 1)
    cosine[~(_once_per_film(cosine, contents.catalogue, row) & towards.any(axis=1))] = -np.inf
    if not towards[row].any():
        cosine[:] = -np.inf
    available = int(np.isfinite(cosine).sum())
    found = top_k(cosine[None], max(min(k, available), 1))
    pairs = zip(found.items[0].tolist(), found.scores[0].tolist(), strict=True)
    return SimilarMovies(
        **name_of(contents.catalogue, row),
        k=k,
        model=contents.label,
        items=[
            SimilarMovie(rank=rank, **facts_of(contents.catalogue, item), similarity=score)
            for rank, (item, score) in enumerate(pairs, start=1)
            if item >= 0
        ],
        available=available,
        notes=shortage(k, available),
    )


def _once_per_film(cosine: Floats, catalogue: Catalogue, row: int) -> NDArray[np.bool_]:
    """(I,) the nearest entry of every film but the one in ``row``."""
    films = catalogue.film_groups
    order = np.argsort(-cosine, kind="stable")
    _, first = np.unique(films[order], return_index=True)
    kept = np.zeros(len(films), dtype=bool)
    kept[order[first]] = True
    return np.asarray(kept & (films != films[row]))
