from __future__ import annotations

import pytest

from recsys.benchmark.results import load, read, require_comparable
from recsys.errors import DataError


def test_protocols_and_models_come_by_name(bench) -> None:
    for protocol, name in (("ml-u", "b"), ("ml-ro", "z"), ("ml-ro", "a")):
        bench.add(protocol, name, 0.3)
    found = [(d.protocol, d.name) for d in read(bench.folder)]
    assert found == [("ml-ro", "a"), ("ml-ro", "z"), ("ml-u", "b")]


def test_everything_is_one_tidy_table(bench) -> None:
    made = bench.add("ml-ro", "ease", 0.3, seeds=(2020, 2021))
    bench.add("ml-u", "bias", 0.9, task="rating", folds=("u1", "u2"), seeds=(2020,))
    frame = load(bench.folder)
    columns = ["protocol", "model", "variant", "fold", "seed", "part", "metric", "value"]
    assert list(frame.columns) == columns
    assert len(frame) == sum(len(run.metrics) for d in read(bench.folder) for run in d.runs)
    row = frame.query("model == 'ease' and seed == 2021 and metric == 'ranking.ndcg@10'").iloc[0]
    assert (row["protocol"], row["fold"], row["part"]) == ("ml-ro", "ro", "ro 2021")
    assert row["value"] == made.runs[1].metrics["ranking.ndcg@10"]
    assert set(frame.query("model == 'bias'")["part"]) == {"u1", "u2"}


def test_variants_and_views_of_a_fit_are_told_apart(bench, make_document) -> None:
    document = make_document("multitask-ml-ro", "joint", 0.3, seeds=(2020,))
    run = document.runs[0].model_copy(update={"views": {"one σ": {"rating.rmse": 0.9}}})
    variant = document.model_copy(update={"variant": "fs-sum", "runs": [run]})
    variant.save(bench.folder / "multitask-ml-ro" / "joint-fs-sum.json")
    assert [d.name for d in read(bench.folder)] == ["joint, fs-sum"]
    assert list(load(bench.folder)["variant"].unique()) == ["fs-sum", "fs-sum, one σ"]


def test_an_empty_folder_says_what_to_do(tmp_path) -> None:
    with pytest.raises(DataError, match="recsys benchmark run"):
        read(tmp_path)


def test_a_quick_look_is_not_part_of_the_results(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    quick = type(bench)(bench.folder / "quick")
    quick.add("ml-ro", "joint", 0.9)
    assert [document.name for document in read(bench.folder)] == ["ease"]


def test_a_document_of_another_protocol_is_an_error(bench, make_document) -> None:
    make_document("ml-u", "ease", 0.3).save(bench.folder / "ml-ro" / "ease.json")
    with pytest.raises(DataError, match="is of protocol 'ml-u'"):
        read(bench.folder)


def test_a_model_that_is_there_twice_is_an_error(bench, make_document) -> None:
    bench.add("ml-ro", "ease", 0.3)
    make_document("ml-ro", "ease", 0.4).save(bench.folder / "ml-ro" / "ease-2.json")
    with pytest.raises(DataError, match="repeats model 'ease'"):
        read(bench.folder)


def test_a_file_that_is_no_document_is_an_error(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    (bench.folder / "ml-ro" / "joint.json").write_text("{}")
    with pytest.raises(DataError, match=r"joint\.json"):
        read(bench.folder)


def test_models_evaluated_on_different_splits_are_not_compared(bench, make_document) -> None:
    bench.add("ml-ro", "ease", 0.3)
    other = make_document("ml-ro", "joint", 0.3)
    run = other.runs[0]
    split = run.split.model_copy(update={"fingerprint": "of other ratings"})
    runs = [run.model_copy(update={"split": split}), *other.runs[1:]]
    other.model_copy(update={"runs": runs}).save(bench.folder / "ml-ro" / "joint.json")
    with pytest.raises(DataError, match="different splits") as caught:
        read(bench.folder)
    assert "2020" in str(caught.value)
    assert "joint" in caught.value.rows[1]


@pytest.mark.parametrize(
    ("field", "said"), [("dataset", "different ratings"), ("movies", "different movies")]
)
def test_documents_of_other_data_are_not_compared(bench, make_document, field, said) -> None:
    for name, fingerprint in (("ease", "a" * 64), ("item-knn", "a" * 64), ("joint", "b" * 64)):
        document = make_document("ml-ro", name, 0.3).model_copy(update={field: fingerprint})
        document.save(bench.folder / "ml-ro" / f"{name}.json")
    with pytest.raises(DataError, match=f"documents of ml-ro are of {said}") as caught:
        read(bench.folder)
    assert caught.value.rows == (
        "aaaaaaaaaaaa: ease (2026-01-02), item-knn (2026-01-02)",
        "bbbbbbbbbbbb: joint (2026-01-02)",
    )
    assert "delete the older" in caught.value.hint


def test_a_document_that_does_not_tell_its_movies_matches_any(make_document) -> None:
    told, untold = make_document("p", "a", 0.3), make_document("p", "b", 0.3)
    require_comparable([told.model_copy(update={"movies": "a" * 64}), untold])


def test_an_older_document_is_refused_with_what_to_do(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    path = bench.folder / "ml-ro" / "ease.json"
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 1'))
    with pytest.raises(DataError, match="schema version 2") as caught:
        read(bench.folder)
    assert "run the benchmark again" in caught.value.hint
