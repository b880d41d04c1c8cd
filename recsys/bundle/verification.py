"""Reading a bundle's bytes, and giving out none that are not exactly what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from recsys.bundle.manifest import MANIFEST, MANIFEST_HASH, REQUIRED, SCHEMA_VERSION, Manifest
from recsys.errors import BundleError

_REMEDY = "export the bundle again, or copy it again from where it is intact"


def hash_line(manifest: bytes) -> bytes:
    """The content of ``manifest.sha256``, which ``sha256sum --check`` understands."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


def read_manifest(folder: Path) -> Manifest:
    """The manifest, once its hash is right.

    Raises:
        BundleError: there is none, it was altered, or its schema version is another.
    """
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"{folder} is not a bundle: it has no {MANIFEST}",
            hint="give the folder that 'recsys train --out' wrote",
        )
    data = _read(folder / MANIFEST)
    if _read(folder / MANIFEST_HASH) != hash_line(data):
        raise BundleError(f"{folder}: {MANIFEST} does not match {MANIFEST_HASH}", hint=_REMEDY)
    try:
        document = json.loads(data)
        _require_version(folder, document["schema_version"])
        return Manifest.model_validate(document)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise BundleError(f"{folder}: {MANIFEST} is malformed: {error}", hint=_REMEDY) from error


def _require_version(folder: Path, found: object) -> None:
    if found != SCHEMA_VERSION:
        raise BundleError(
            f"{folder} has schema version {found}, this program reads {SCHEMA_VERSION}",
            hint="train it again with 'recsys train --out DIR', or install the version of recsys "
            "that wrote it",
        )


def read_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """Every file the manifest lists, each read once and hashed before it is given out.

    Raises:
        BundleError: files are missing, unknown or not what the manifest says; each is named.
    """
    expected = manifest.files.keys() | REQUIRED | {MANIFEST, MANIFEST_HASH}
    found = {entry.name for entry in folder.iterdir()}
    _refuse(folder, "are missing", expected - found)
    _refuse(folder, "are unknown", found - expected)
    _refuse(folder, "are not in the manifest", REQUIRED - manifest.files.keys())
    sizes = {n: r.size for n, r in manifest.files.items() if _size(folder / n) != r.size}
    _refuse(folder, "have another size", sizes)
    files = {name: _read(folder / name) for name in manifest.files}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    altered = [name for name in files if hashes[name] != manifest.files[name].sha256]
    _refuse(folder, "were altered", altered)
    return files


def _refuse(folder: Path, what: str, files: Iterable[str]) -> None:
    if files:
        listed = sorted(files)
        raise BundleError(
            f"{folder}: {len(listed)} files {what}: {', '.join(listed)}", hint=_REMEDY
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror}", hint=_REMEDY) from error
