"""Puts a copy of the recipes and configurations into the wheel; everything else is declared."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MATERIAL = {"datasets": ("*/*.yaml", "*/README.md", "*/*.csv"), "configs": ("**/*.yaml",)}
ROOT = Path(__file__).resolve().parent


class BuildWithMaterial(build_py):
    """``build_py`` that also copies the material, which a checkout reads from its root."""

    def run(self) -> None:
        """Build, and copy unless the installation is editable."""
        super().run()
        if not self.editable_mode:
            for source, target in self._material():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """The files that the command writes."""
        copies = [] if self.editable_mode else [str(target) for _, target in self._material()]
        return super().get_outputs(include_bytecode) + copies

    def _material(self) -> list[tuple[Path, Path]]:
        built = Path(self.build_lib) / "recsys" / "_material"
        found = (
            path
            for folder, patterns in MATERIAL.items()
            for pattern in patterns
            for path in sorted((ROOT / folder).glob(pattern))
        )
        return [(path, built / path.relative_to(ROOT)) for path in found]


setup(cmdclass={"build_py": BuildWithMaterial})
