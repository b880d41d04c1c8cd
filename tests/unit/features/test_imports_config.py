"""The section of the configuration for vectors that were made elsewhere."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from recsys.config.imports import FileImport, ImportConfig, IvectorTable

ADAPTER = TypeAdapter(ImportConfig)


def test_source_and_table_choose_the_type():
    found = ADAPTER.validate_python({"source": "file", "path": "x.csv", "key": "film"})
    assert found == FileImport(path=Path("x.csv"), key="film")
    found = ADAPTER.validate_python(
        {"source": "mmtf-14k", "path": "a.zip", "table": "ivector", "fold": 3, "tv_dim": 40}
    )
    assert found == IvectorTable(path=Path("a.zip"), fold=3, tv_dim=40)


def test_an_archive_is_wider_than_a_catalogue_and_a_file_is_not():
    archive = ADAPTER.validate_python({"source": "mmtf-14k", "path": "a", "table": "alexnet"})
    assert (archive.policy.on_unknown_id, archive.policy.on_nonfinite) == ("drop", "mask")
    policy = FileImport(path=Path("x.csv")).policy
    assert (policy.on_unknown_id, policy.on_nonfinite) == ("error", "error")


def test_one_choice_leaves_the_others_as_they_are():
    options = {"source": "mmtf-14k", "path": "a", "table": "alexnet"}
    archive = ADAPTER.validate_python({**options, "policy": {"on_nonfinite": "median"}})
    assert (archive.policy.on_unknown_id, archive.policy.on_nonfinite) == ("drop", "median")


@pytest.mark.parametrize(
    "options",
    [
        {"source": "elsewhere", "path": "x"},
        {"source": "file"},
        {"source": "file", "path": "x.csv", "fold": 1},
        {"source": "mmtf-14k", "path": "a"},
        {"source": "mmtf-14k", "path": "a", "table": "genres"},
        {"source": "mmtf-14k", "path": "a", "table": "ivector", "fold": 6},
        {"source": "mmtf-14k", "path": "a", "table": "alexnet", "fold": 1},
        {"source": "mmtf-14k", "path": "a", "table": "alexnet", "aggregation": "mean"},
        {"source": "file", "path": "x.csv", "policy": {"on_nonfinite": "ignore"}},
    ],
)
def test_what_does_not_fit_is_refused(options):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(options)


def test_a_section_survives_yaml_values():
    config = IvectorTable(path=Path("a.zip"))
    assert ADAPTER.validate_python(config.model_dump(mode="json")) == config
