from __future__ import annotations

import pytest
from recsys.benchmark.report.load import Measured, load_results, split_of
from recsys.benchmark.report.load import test_part as part_of

from recsys.errors import DataError


def test_protocols_and_contenders_come_by_name(bench) -> None:
    for protocol, name in (("ml-u", "b"), ("ml-ro", "z"), ("ml-ro", "a")):
        bench.add(protocol, name, 0.3)
    found = load_results(bench.folder)
    assert [(m.protocol, list(m.documents)) for m in found] == [
        ("ml-ro", ["a", "z"]),
        ("ml-u", ["b"]),
    ]


def test_an_empty_folder_says_what_to_do(tmp_path) -> None:
    with pytest.raises(DataError, match="recsys benchmark run"):
        load_results(tmp_path)


def test_a_quick_look_is_not_part_of_the_results(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    quick = type(bench)(bench.folder / "quick")
    quick.add("ml-ro", "joint", 0.9)
    (found,) = load_results(bench.folder)
    assert list(found.documents) == ["ease"]


def test_a_document_of_another_protocol_is_an_error(bench, make_document) -> None:
    make_document("ml-u", "ease", 0.3).save(bench.folder / "ml-ro" / "ease.json")
    with pytest.raises(DataError, match="is of protocol 'ml-u'"):
        load_results(bench.folder)


def test_a_contender_that_is_there_twice_is_an_error(bench, make_document) -> None:
    bench.add("ml-ro", "ease", 0.3)
    make_document("ml-ro", "ease", 0.4).save(bench.folder / "ml-ro" / "ease-2.json")
    with pytest.raises(DataError, match="repeats contender 'ease'"):
        load_results(bench.folder)


def test_a_file_that_is_no_document_is_an_error(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    (bench.folder / "ml-ro" / "joint.json").write_text("{}")
    with pytest.raises(DataError, match=r"joint\.json"):
        load_results(bench.folder)


def test_contenders_judged_on_different_splits_are_not_compared(bench, make_document) -> None:
    bench.add("ml-ro", "ease", 0.3)
    other = make_document("ml-ro", "joint", 0.3)
    run = other.runs[0]
    split = run.split.model_copy(update={"fingerprint": "of other ratings"})
    runs = [run.model_copy(update={"split": split}), *other.runs[1:]]
    other.model_copy(update={"runs": runs}).save(bench.folder / "ml-ro" / "joint.json")
    with pytest.raises(DataError, match="different splits") as caught:
        load_results(bench.folder)
    assert "2020" in caught.value.rows[0]
    assert "joint" in caught.value.rows[0]


@pytest.mark.parametrize(
    ("field", "said"), [("dataset", "different ratings"), ("movies", "different movies")]
)
def test_documents_of_other_data_are_not_compared(bench, make_document, field, said) -> None:
    for name, fingerprint in (("ease", "a" * 64), ("item-knn", "a" * 64), ("joint", "b" * 64)):
        document = make_document("ml-ro", name, 0.3).model_copy(update={field: fingerprint})
        document.save(bench.folder / "ml-ro" / f"{name}.json")
    with pytest.raises(DataError, match=f"documents of ml-ro are of {said}") as caught:
        load_results(bench.folder)
    assert caught.value.rows == (
        "aaaaaaaaaaaa: ease (2026-01-02), item-knn (2026-01-02)",
        "bbbbbbbbbbbb: joint (2026-01-02)",
    )
    assert "delete the older" in caught.value.hint


def test_a_document_that_does_not_tell_its_movies_matches_any(make_document) -> None:
    told, untold = make_document("p", "a", 0.3), make_document("p", "b", 0.3)
    told = told.model_copy(update={"movies": "a" * 64})
    assert Measured("p", {"a": told, "b": untold}).documents == {"a": told, "b": untold}


@pytest.mark.parametrize("split", ["u3", "ro", "leave-last", "somebody's own"])
def test_a_test_part_tells_its_split(make_document, split) -> None:
    run = make_document("p", "a", 0.3, split=split).runs[0]
    assert split_of(part_of(run)) == split
