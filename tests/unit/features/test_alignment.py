"""Every kind of fault is counted, named, and settled as the policy says."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.config.imports import ImportPolicy
from recsys.data.catalogue import EncoderCard
from recsys.errors import DataError
from recsys.features.alignment import align
from recsys.features.audit import Fault
from recsys.features.published.vectors import IdVectors

NAN, INF = np.nan, np.inf
OFF = ImportPolicy(on_zero_row="keep")


def rows_of(*rows):
    """Rows of (id, values), numbered from line 2."""
    vectors = np.array([values for _, values in rows], dtype=np.float32)
    n, dim = vectors.shape
    ids = tuple(id_ for id_, _ in rows)
    return IdVectors("x.csv", ids, vectors, np.full(n, dim), np.arange(2, n + 2), "line")


def run(catalogue, found, policy=OFF, **options):
    card = EncoderCard("toy", "1", found.dim, "none", "none", "CC0-1.0", "none")
    return align("poster", found, card, catalogue, policy, **options)


@pytest.fixture
def movies(make_catalogue):
    return make_catalogue(["Heat", "Casino", "Sabrina", "Sabrina"])


def test_vectors_land_on_the_movies_they_belong_to(movies):
    table, report = run(
        movies, rows_of(("3", [5, 6]), ("1", [1, 2])), ratings=np.array([6, 1, 2, 1])
    )
    assert table.present.tolist() == [True, False, True, False]
    np.testing.assert_array_equal(table.vectors, [[1, 2], [0, 0], [5, 6], [0, 0]])
    assert table.items == movies.items.fingerprint
    assert (report.rows, report.used, report.present, report.findings) == (2, 2, 2, ())
    assert (report.by_movies, report.by_ratings) == (0.5, 0.8)


def test_a_film_that_is_listed_twice_has_its_vector_twice(movies):
    films = replace(movies, film_ids=("50", "", "7", "7"))
    table, report = run(films, rows_of(("7", [5, 6]), ("50", [1, 2])), key="film")
    assert table.present.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(table.vectors[2:], [[5, 6], [5, 6]])
    assert (report.used, report.present) == (2, 3)


def test_films_are_asked_for_and_the_catalogue_has_none(movies):
    with pytest.raises(DataError, match="no film ids"):
        run(movies, rows_of(("7", [5, 6])), key="film")


GOOD = ("1", [1, 2])
CASES = [
    ("on_unknown_id", "drop", Fault.UNKNOWN_ID, [("99", [1, 3]), ("", [1, 3])]),
    ("on_nonfinite", "mask", Fault.NAN, [("2", [NAN, 3])]),
    ("on_nonfinite", "mask", Fault.INFINITE, [("2", [3, -INF])]),
    ("on_zero_row", "mask", Fault.ZERO_ROW, [("2", [0, 0])]),
    ("on_constant_row", "mask", Fault.CONSTANT_ROW, [("2", [3, 3])]),
    ("on_duplicate", "mask", Fault.CONFLICTING_ROWS, [("2", [3, 4]), ("2", [3, 5])]),
]


@pytest.mark.parametrize(("option", "choice", "fault", "bad"), CASES)
def test_a_fault_is_refused_or_removed(movies, option, choice, fault, bad):
    found = rows_of(GOOD, *bad)
    strict = ImportPolicy(**{option: "error"})
    with pytest.raises(DataError, match=f"{fault}: {len(bad)} among") as caught:
        run(movies, found, strict)
    assert option in str(caught.value)
    assert caught.value.rows[0].startswith("line 3, id ")
    table, report = run(movies, found, ImportPolicy(**{option: choice}))
    assert table.present.tolist() == [True, False, False, False]
    (finding,) = report.findings
    assert (finding.fault, finding.count, finding.removed) == (fault, len(bad), len(bad))
    assert (finding.choice, report.used) == (choice, 1)


@pytest.mark.parametrize(
    ("option", "fault", "bad"),
    [
        ("on_zero_row", Fault.ZERO_ROW, ("2", [0, 0])),
        ("on_constant_row", Fault.CONSTANT_ROW, ("2", [3, 3])),
    ],
)
def test_a_fault_may_be_kept_and_is_still_reported(movies, option, fault, bad):
    table, report = run(movies, rows_of(GOOD, bad), ImportPolicy(**{option: "keep"}))
    assert table.present[1]
    np.testing.assert_array_equal(table.vectors[1], bad[1])
    assert [(f.fault, f.removed) for f in report.findings] == [(fault, 0)]


def test_all_rows_may_have_one_value_when_there_is_one_dimension(movies):
    _, report = run(movies, rows_of(("1", [3]), ("2", [4])))
    assert report.findings == ()


def test_the_first_of_conflicting_rows_and_equal_rows_without_a_choice(movies):
    found = rows_of(GOOD, ("2", [3, 4]), ("2", [3, 4]), ("2", [8, 9]), GOOD)
    table, report = run(movies, found, ImportPolicy(on_duplicate="first"))
    np.testing.assert_array_equal(table.vectors[:2], [[1, 2], [3, 4]])
    assert [(f.fault, f.count, f.removed) for f in report.findings] == [
        (Fault.EQUAL_ROWS, 2, 2),
        (Fault.CONFLICTING_ROWS, 2, 1),
    ]
    with pytest.raises(DataError, match="repeated id, other vector: 2"):
        run(movies, found)


def test_a_bad_row_does_not_conflict_with_the_good_one_of_its_id(movies):
    found = rows_of(("1", [NAN, 2]), GOOD)
    table, report = run(movies, found, ImportPolicy(on_nonfinite="mask"))
    np.testing.assert_array_equal(table.vectors[0], [1, 2])
    assert [f.fault for f in report.findings] == [Fault.NAN]


def test_medians_stand_in_for_values_that_are_not_finite(movies):
    found = rows_of(("1", [1, 10]), ("2", [INF, 20]), ("3", [3, NAN]), ("4", [8, 50]))
    table, report = run(movies, found, ImportPolicy(on_nonfinite="median"))
    np.testing.assert_array_equal(table.vectors, [[1, 10], [3, 20], [3, 20], [8, 50]])
    assert [(f.fault, f.count, f.removed) for f in report.findings] == [
        (Fault.NAN, 1, 0),
        (Fault.INFINITE, 1, 0),
    ]


def test_medians_do_not_invent_a_vector(movies):
    found = rows_of(("1", [1, 10]), ("2", [NAN, NAN]), ("3", [NAN, INF]), ("4", [NAN, 5]))
    table, report = run(movies, found, ImportPolicy(on_nonfinite="median"))
    assert table.present.tolist() == [True, False, False, True]
    assert [(f.fault, f.count, f.removed) for f in report.findings[:1]] == [(Fault.NAN, 3, 2)]


def test_values_that_are_not_finite_are_named_with_their_column(movies):
    with pytest.raises(DataError) as caught:
        run(movies, rows_of(GOOD, ("2", [3, -INF])))
    assert caught.value.rows == ("line 3, id '2', number 2: -inf",)


def test_rows_of_another_width(movies):
    found = rows_of(GOOD, ("2", [NAN, NAN]))
    found = replace(found, widths=np.array([2, 5]))
    with pytest.raises(DataError, match="on_wrong_dim") as caught:
        run(movies, found)
    assert caught.value.rows == ("line 3, id '2': 5 values",)
    table, report = run(movies, found, ImportPolicy(on_wrong_dim="mask"))
    assert table.present.tolist() == [True, False, False, False]
    assert [f.fault for f in report.findings] == [Fault.WRONG_DIM]


def test_constant_columns_are_told_or_refused(movies):
    found = rows_of(("1", [1, 9, 2]), ("2", [1, 8, 2]))
    _, report = run(movies, found)
    (finding,) = report.findings
    assert (finding.fault, finding.count) == (Fault.CONSTANT_COLUMN, 2)
    assert finding.examples == ("column 1: 1", "column 3: 2")
    with pytest.raises(DataError, match="on_constant_column"):
        run(movies, found, ImportPolicy(on_constant_column="error"))


def test_all_that_is_refused_is_named_at_once_and_five_of_it_shown(movies):
    unknown = [(str(n), [1, n]) for n in range(90, 98)]
    with pytest.raises(DataError) as caught:
        run(movies, rows_of(GOOD, *unknown, ("2", [NAN, 1])))
    assert "unknown id: 8, NaN: 1 among 10 rows" in str(caught.value)
    assert "on_nonfinite, on_unknown_id" in str(caught.value)
    assert (len(caught.value.rows), caught.value.count) == (5, 8)


def test_a_source_without_one_usable_row_is_refused_under_any_policy(movies):
    lenient = ImportPolicy(on_unknown_id="drop", on_nonfinite="mask")
    with pytest.raises(DataError, match="none of its 2 rows can be used: unknown id: 1, NaN: 1"):
        run(movies, rows_of(("99", [1, 2]), ("1", [NAN, 2])), lenient)


def test_the_width_must_be_that_of_the_card(movies):
    card = EncoderCard("toy", "1", 3, "none", "none", "CC0-1.0", "none")
    with pytest.raises(DataError, match="2 dimensions, the card says 3"):
        align("poster", rows_of(GOOD), card, movies, OFF)


def test_the_report_is_plain_values(movies):
    _, report = run(movies, rows_of(GOOD), ratings=np.array([1, 0, 0, 0]))
    document = report.to_dict()
    assert document["by_movies"] == 0.25
    assert document["by_ratings"] == 1.0
    assert document["findings"] == ()
