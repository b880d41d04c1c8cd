from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MATERIAL = "recsys/_material/"
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*", "build", "dist", "runs")

needs_build = pytest.mark.skipif(
    importlib.util.find_spec("build") is None, reason="the package 'build' is not installed"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the tree."""
    tree = tmp_path_factory.mktemp("wheel") / "tree"
    shutil.copytree(REPOSITORY, tree, ignore=IGNORED)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "../out"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((tree.parent / "out").glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.slow
@needs_build
class TestWheel:
    def test_its_only_top_level_names_are_the_package_and_its_metadata(
        self, names: list[str]
    ) -> None:
        top = {name.split("/")[0] for name in names}
        assert len(top) == 2
        assert "recsys" in top
        assert any(name.endswith(".dist-info") for name in top)

    def test_it_carries_the_material_and_it_alone(self, names: list[str]) -> None:
        carried = {name.removeprefix(MATERIAL) for name in names if name.startswith(MATERIAL)}
        expected = [*REPOSITORY.glob("datasets/*/*.yaml")]
        expected += REPOSITORY.glob("datasets/*/README.md")
        expected += REPOSITORY.glob("datasets/*/*.csv")
        expected += REPOSITORY.glob("configs/**/*.yaml")
        assert carried == {path.relative_to(REPOSITORY).as_posix() for path in expected}
        assert {"datasets/ml-100k/recipe.yaml", "configs/all-ratings.yaml"} <= carried

    def test_it_carries_every_module_and_the_type_marker(self, names: list[str]) -> None:
        modules = {p.relative_to(REPOSITORY).as_posix() for p in REPOSITORY.glob("recsys/**/*.py")}
        assert modules <= set(names)
        assert "recsys/py.typed" in names

    def test_it_carries_no_test_or_benchmark(self, names: list[str]) -> None:
        files = [Path(name) for name in names]
        assert not [f for f in files if {"tests", "benchmarks", "serving"} & set(f.parts)]
        assert not [f for f in files if f.name.startswith(("test_", "conftest"))]

    def test_recipes_are_read_from_the_installed_copy(self, wheel: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(tmp_path)
        script = (
            "from recsys import resources\n"
            "from recsys.data.recipes import load_recipe\n"
            "print(resources.material('datasets'), load_recipe('ml-100k').title, sep='\\n')"
        )
        # -P and an unpacked wheel on the path: the checkout cannot be what is read.
        done = subprocess.run(
            [sys.executable, "-P", "-c", script],
            env={"PYTHONPATH": str(tmp_path), "PATH": ""},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        folder, title = done.stdout.splitlines()
        assert Path(folder) == tmp_path / "recsys" / "_material" / "datasets"
        assert title == "MovieLens 100K"
