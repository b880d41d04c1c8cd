import pytest
from support.served import served_world

from recsys.bundle import write_bundle
from recsys.engine import Engine
from recsys.recommenders.saving import restore


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine") / "bundle"
    write_bundle(folder, served_world().contents, restore)
    return Engine.load(folder)


@pytest.fixture(scope="module")
def features():
    return served_world().features
