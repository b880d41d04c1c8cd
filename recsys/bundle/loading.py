"""Loading a bundle: verify, parse, check, replay; nothing is used that is not what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import yaml
from pydantic import ValidationError
from safetensors import SafetensorError

from recsys.bundle import manifest as names
from recsys.bundle.arrays import (
    arrays_from_bytes,
    histories_from_bytes,
    movies_from_bytes,
    users_from_bytes,
)
from recsys.bundle.contents import BundleContents, Served
from recsys.bundle.golden import Golden, replay
from recsys.bundle.manifest import MANIFEST, MANIFEST_HASH, REQUIRED, SCHEMA_VERSION, Manifest
from recsys.config.experiment import ExperimentConfig
from recsys.errors import BundleError, RecsysError
from recsys.evaluation.report import EvaluationDocument
from recsys.queries.context import Context
from recsys.retrieval.index import Index
from recsys.retrieval.registry import open_index

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
        found = document["schema_version"]
        if found != SCHEMA_VERSION:
            raise BundleError(
                f"{folder} has schema version {found}, this program reads {SCHEMA_VERSION}",
                hint="train it again with 'recsys train --out DIR', or install the version of "
                "recsys that wrote it",
            )
        return Manifest.model_validate(document)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise BundleError(f"{folder}: {MANIFEST} is malformed: {error}", hint=_REMEDY) from error


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


Restore = Callable[[BundleContents], Served]
"""Makes the model of a bundle again."""


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        contents: what was written.
        model: the model, restored and asked.
        index: of the movies' vectors; None for a model without.
        manifest: what the folder said of itself.
    """

    contents: BundleContents
    model: Served
    index: Index | None
    manifest: Manifest


def load_bundle(path: str | Path, restore: Restore) -> Bundle:
    """Load a bundle.

    Sizes and hashes of all files are checked before anything is parsed, since native readers accept
    altered bytes; then the golden queries are asked.

    Args:
        path: the folder.
        restore: makes the model again.

    Raises:
        BundleError: the bundle is incomplete, altered, of another schema version, or does not
            answer as it should.
    """
    if not isinstance(path, str | Path):
        raise BundleError(f"{path!r} is no folder", hint="give the folder of a bundle")
    folder = Path(path)
    with _reading(folder):
        manifest = read_manifest(folder)
        files = read_files(folder, manifest)
        contents = _contents(files, manifest)
        index = _index(files, manifest)
        _require_consistent(contents, manifest)
        model = restore(contents)
        golden = Golden.model_validate_json(files[names.GOLDEN])
        replay(golden, contents.context, model, index)
    return Bundle(contents, model, index, manifest)


def _index(files: dict[str, bytes], manifest: Manifest) -> Index | None:
    if manifest.index is None:
        return None
    index = open_index(manifest.index).from_bytes(files[names.INDEX])
    if index.ntotal != manifest.items.size:
        raise BundleError(
            f"the index holds {index.ntotal} movies, the bundle {manifest.items.size}",
            hint="export the bundle again",
        )
    return index


def _contents(files: dict[str, bytes], manifest: Manifest) -> BundleContents:
    config = ExperimentConfig.model_validate(yaml.safe_load(files[names.EXPERIMENT]))
    catalogue = movies_from_bytes(files[names.ITEMS], manifest.genres)
    users = users_from_bytes(files[names.USERS])
    histories, seen = histories_from_bytes(files[names.SEEN], users, catalogue.items)
    metrics = files.get(names.METRICS)
    return BundleContents(
        model=manifest.model,
        about=manifest.about,
        config=config,
        context=Context(catalogue, histories, seen),
        arrays=arrays_from_bytes(files[names.MODEL]),
        provenance=manifest.provenance,
        metrics=None if metrics is None else EvaluationDocument.model_validate_json(metrics),
    )


def _require_consistent(contents: BundleContents, manifest: Manifest) -> None:
    context = contents.context
    claims = {
        "users": (manifest.users.fingerprint, context.histories.users.fingerprint),
        "movies": (manifest.items.fingerprint, context.catalogue.items.fingerprint),
        "model": (manifest.version, contents.version),
    }
    wrong = [name for name, (claimed, found) in claims.items() if claimed != found]
    if wrong:
        raise BundleError(
            f"parts of the bundle do not belong together: {', '.join(wrong)}",
            hint="export the bundle again",
        )


_FAULTS = (RecsysError, pa.ArrowException, SafetensorError, yaml.YAMLError)


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Whatever the disk or a parser says, of verified bytes, is a fault of the bundle."""
    try:
        yield
    except BundleError:
        raise
    except (*_FAULTS, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BundleError(
            f"{folder} cannot be used: {error}",
            hint="export the bundle again with this version of recsys",
        ) from error
