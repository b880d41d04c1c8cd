from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from laws import load_profile

load_profile()
# Processes that tests start find the tests' own modules, as pytest does: those of a name of their
# own through the environment, spawned functions of test modules as parts of "tests".
sys.path.append(str(Path(__file__).resolve().parents[1]))
_BESIDE = str(Path(__file__).resolve().parent)
os.environ["PYTHONPATH"] = os.pathsep.join([_BESIDE, *filter(None, [os.environ.get("PYTHONPATH")])])

NEEDS = {
    "recbole": ("ray", "RecBole's models need the extra 'recbole', and Python 3.11"),
    "ml100k": ("recbole", "RecBole's wheel, which carries MovieLens-100K, is not installed"),
}
"""The module and the reason of markers whose tests need more than is everywhere."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (module, reason) in NEEDS.items():
        if item.get_closest_marker(marker) is not None and find_spec(module) is None:
            pytest.skip(reason)


REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets; the test is skipped where it is absent."""
    beside = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("RECSYS_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set RECSYS_REAL_DATA")
    return folder
