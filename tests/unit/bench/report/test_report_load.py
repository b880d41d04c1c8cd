from __future__ import annotations

import pytest

from recsys.bench.report.load import load_results
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
