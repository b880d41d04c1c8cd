"""Writing a bundle: a complete and verified one appears at its place, or nothing changes."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path

import faiss
import numpy as np

import recsys
from recsys.bundle import manifest as names
from recsys.bundle.arrays import (
    arrays_to_bytes,
    histories_to_bytes,
    movies_to_bytes,
    users_to_bytes,
)
from recsys.bundle.card import model_card
from recsys.bundle.contents import BundleContents, Served, ServedByVectors
from recsys.bundle.golden import golden_queries
from recsys.bundle.loading import Restore, hash_line, load_bundle
from recsys.bundle.manifest import FileRecord, Manifest, VocabularyRecord
from recsys.config.loading import dump_experiment
from recsys.data.files import atomic_write
from recsys.data.vocabulary import Vocabulary
from recsys.errors import BundleError
from recsys.retrieval.faiss_flat import FaissFlatIndex


def write_bundle(path: str | Path, contents: BundleContents, restore: Restore) -> Manifest:
    """Write a bundle, load it back, and only then put it in its place.

    The same contents give the same bytes. A bundle that is already there is replaced.

    Args:
        path: the folder to make.
        contents: what goes into it.
        restore: makes the model of a bundle again; what was written is asked before it is put in
            its place.

    Raises:
        BundleError: something other than a bundle is at ``path``, the new bundle does not verify,
            or the disk refuses. What was at ``path`` is still there.
    """
    target = Path(path).resolve()
    staging = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        require_replaceable(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        manifest = _fill(staging, contents, restore(contents))
        load_bundle(staging, restore)
        _put_in_place(staging, target)
    except OSError as error:
        raise BundleError(f"cannot write the bundle {target}: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def require_replaceable(target: Path) -> None:
    """Refuse a place that holds anything but a bundle, before time is spent on making one.

    Raises:
        BundleError: it does.
    """
    if not target.exists():
        return
    found = {entry.name for entry in target.iterdir()} if target.is_dir() else {""}
    if found and not (names.MANIFEST in found and found <= names.FILES):
        raise BundleError(
            f"{target} is there and is not a bundle, so it is not replaced",
            hint="name a folder that does not exist yet, or remove this one yourself",
        )


def _fill(folder: Path, contents: BundleContents, model: Served) -> Manifest:
    files = _encode(contents, model)
    manifest = _manifest(contents, files)
    described = manifest.to_bytes()
    files[names.MANIFEST] = described
    files[names.MANIFEST_HASH] = hash_line(described)
    for name, data in files.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_bytes(data)
    _flush_folder(folder)
    return manifest


def _encode(contents: BundleContents, model: Served) -> dict[str, bytes]:
    context = contents.context
    files = {
        names.EXPERIMENT: dump_experiment(contents.config).encode(),
        names.ITEMS: movies_to_bytes(context.catalogue),
        names.USERS: users_to_bytes(context.histories.users),
        names.MODEL: arrays_to_bytes(contents.arrays),
        names.SEEN: histories_to_bytes(context.histories, context.seen),
        names.GOLDEN: golden_queries(context, model).to_bytes(),
        names.CARD: model_card(contents).encode(),
    }
    if isinstance(model, ServedByVectors):
        files[names.INDEX] = FaissFlatIndex.build(model.item_vectors()).to_bytes()
    if contents.metrics is not None:
        files[names.METRICS] = (contents.metrics.model_dump_json(indent=2) + "\n").encode()
    return files


def _manifest(contents: BundleContents, files: dict[str, bytes]) -> Manifest:
    context = contents.context
    return Manifest(
        schema_version=names.SCHEMA_VERSION,
        model=contents.model,
        version=contents.version,
        about=contents.about,
        index=FaissFlatIndex.kind if names.INDEX in files else None,
        config=contents.config.fingerprint,
        users=_vocabulary(context.histories.users),
        items=_vocabulary(context.catalogue.items),
        genres=context.catalogue.genre_names,
        provenance=contents.provenance,
        versions={
            "faiss": faiss.__version__,
            "numpy": np.__version__,
            "recsys": recsys.__version__,
        },
        files={
            name: FileRecord(size=len(data), sha256=hashlib.sha256(data).hexdigest())
            for name, data in sorted(files.items())
        },
    )


def _vocabulary(vocabulary: Vocabulary) -> VocabularyRecord:
    return VocabularyRecord(size=len(vocabulary), fingerprint=vocabulary.fingerprint)


def _flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put_in_place(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
    else:
        old = target.with_name(staging.name.removesuffix(".tmp") + ".old")
        target.rename(old)
        try:
            staging.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    _flush_folder(target.parent)
