"""Laws of alignment: nothing is lost unseen, nothing lands on a stranger, order does not matter."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from laws import examples

from recsys.config.imports import FileImport, ImportPolicy
from recsys.data.catalogue import UNKNOWN_YEAR, Catalogue, EncoderCard, ModalityTable
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.features.alignment import align, import_modality
from recsys.features.export import export_parquet
from recsys.features.published.vectors import IdVectors

N_MOVIES = 6
CARD = EncoderCard("toy", "1", 2, "none", "none", "CC0-1.0", "none")
FILMS = ("f0", "f1", "f1", "", "f4", "f5")

ids = st.sampled_from([*(f"m{n}" for n in range(N_MOVIES)), "stranger", ""])
films = st.sampled_from(["f0", "f1", "f4", "f5", "f9", ""])
values = st.sampled_from([0.0, 1.0, -2.5, 3.0, np.nan, np.inf, -np.inf])
policies = st.builds(
    ImportPolicy,
    on_unknown_id=st.just("drop"),
    on_wrong_dim=st.just("mask"),
    on_nonfinite=st.sampled_from(["mask", "median"]),
    on_duplicate=st.sampled_from(["first", "mask"]),
    on_zero_row=st.sampled_from(["keep", "mask"]),
    on_constant_row=st.sampled_from(["keep", "mask"]),
)


def movies():
    return Catalogue(
        items=Vocabulary((f"m{n}" for n in range(N_MOVIES)), kind="movie"),
        titles=("",) * N_MOVIES,
        years=np.full(N_MOVIES, UNKNOWN_YEAR),
        genre_names=(),
        genres=np.zeros((N_MOVIES, 0), dtype=bool),
        film_ids=FILMS,
    )


@st.composite
def sources(draw, of=ids):
    names = draw(st.lists(of, min_size=1, max_size=12))
    vectors = draw(hnp.arrays(np.float32, (len(names), 2), elements=values))
    widths = draw(hnp.arrays(np.int64, len(names), elements=st.sampled_from([2, 2, 2, 1])))
    vectors[widths != 2] = np.nan
    return IdVectors("x", tuple(names), vectors, widths, np.arange(1, len(names) + 1))


def aligned(found, policy, key):
    """None where no row can be used, which is the only thing such a policy refuses."""
    try:
        return align("x", found, CARD, movies(), policy, key=key)
    except DataError as error:
        if "none of its" not in str(error):
            raise
        return None


@given(sources(of=ids | films), policies, st.sampled_from(["item", "film"]))
def test_every_row_is_used_or_removed_for_a_reason(found, policy, key):
    result = aligned(found, policy, key)
    if result is not None:
        _, report = result
        assert report.used + sum(f.removed for f in report.findings) == report.rows
        assert all(f.removed <= f.count for f in report.findings)
        assert all(1 <= len(f.examples) <= min(5, f.count) for f in report.findings)


@given(sources(of=ids | films), policies, st.sampled_from(["item", "film"]))
def test_a_present_movie_has_a_vector_of_its_own_id(found, policy, key):
    result = aligned(found, policy, key)
    if result is not None:
        catalogue = movies()
        own = catalogue.film_ids if key == "film" else catalogue.items.ids
        for row in np.flatnonzero(result[0].present):
            rows = [n for n, id_ in enumerate(found.ids) if id_ == own[row]]
            finite = np.isfinite(found.vectors[rows])
            agrees = (found.vectors[rows] == result[0].vectors[row]) | ~finite
            assert agrees.all(axis=1).any()


@given(sources(), policies, st.randoms())
def test_the_order_of_rows_does_not_matter_where_no_choice_depends_on_it(found, policy, random):
    policy = policy.model_copy(update={"on_duplicate": "mask"})
    order = list(range(len(found.ids)))
    random.shuffle(order)
    mixed = IdVectors(
        "x",
        tuple(found.ids[n] for n in order),
        found.vectors[order],
        found.widths[order],
        found.places[order],
    )
    one, other = aligned(found, policy, "item"), aligned(mixed, policy, "item")
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one[0].fingerprint == other[0].fingerprint
        counts = [{f.fault: (f.count, f.removed) for f in r.findings} for _, r in (one, other)]
        assert counts[0] == counts[1]


@given(sources(of=films), policies)
def test_entries_of_one_film_have_one_vector(found, policy):
    result = aligned(found, policy, "film")
    if result is not None:
        table, _ = result
        assert table.present[1] == table.present[2]
        np.testing.assert_array_equal(table.vectors[1], table.vectors[2])
        assert not table.present[3]


@examples(50)
@given(
    hnp.arrays(
        np.float32, (N_MOVIES, 3), elements=st.floats(width=32, allow_nan=False).filter(np.isfinite)
    ),
    hnp.arrays(bool, N_MOVIES).filter(np.any),
)
def test_what_is_exported_is_imported_to_the_bit(tmp_path_factory, vectors, present):
    catalogue = movies()
    card = EncoderCard("é", "1", 3, "none", "none", "CC0-1.0", "none", notes="n")
    table = ModalityTable("x", vectors, present, card, catalogue.items.fingerprint)
    path = tmp_path_factory.mktemp("law") / "x.parquet"
    export_parquet(catalogue.with_modality(table), "x", path)
    policy = ImportPolicy(on_zero_row="keep")
    found, _ = import_modality("x", FileImport(path=path, policy=policy), catalogue)
    assert found.fingerprint == table.fingerprint
    assert found.card == card


@examples(30)
@given(
    hnp.arrays(
        np.float32, (3, 2), elements=st.floats(width=32, allow_nan=False).filter(np.isfinite)
    )
)
def test_numbers_in_recbole_s_text_are_exact(tmp_path_factory, vectors):
    from recsys.data.interactions import Interactions
    from recsys.features.export import export_recbole

    catalogue, folder = movies(), tmp_path_factory.mktemp("law")
    whole = np.zeros((N_MOVIES, 2), dtype=np.float32)
    whole[:3] = vectors
    present = np.arange(N_MOVIES) < 3
    table = ModalityTable("x", whole, present, CARD, catalogue.items.fingerprint)
    users = Vocabulary(["u"], kind="user")
    none = np.zeros(0, dtype=np.int32)
    ratings = Interactions(users, catalogue.items, none, none, none)
    export_recbole(catalogue.with_modality(table), ratings, folder, "toy")
    policy = ImportPolicy(on_zero_row="keep")
    config = FileImport(path=folder / "toy.xemb", policy=policy)
    found, _ = import_modality("x", config, catalogue)
    assert found.fingerprint == table.fingerprint
