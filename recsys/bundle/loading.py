"""Loading a bundle: verify, parse, check, replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import yaml
from safetensors import SafetensorError

from recsys.bundle import manifest as names
from recsys.bundle.arrays import arrays_from_bytes, histories_from_bytes
from recsys.bundle.contents import BundleContents, Served
from recsys.bundle.golden import Golden, replay
from recsys.bundle.manifest import Manifest
from recsys.bundle.tables import movies_from_bytes, users_from_bytes
from recsys.bundle.verification import read_files, read_manifest
from recsys.config.experiment import ExperimentConfig
from recsys.errors import BundleError, RecsysError
from recsys.evaluation.report import EvaluationDocument
from recsys.queries.context import Context
from recsys.retrieval.index import Index
from recsys.retrieval.registry import open_index

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


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Whatever the disk or a parser says, of verified bytes, is a fault of the bundle."""
    try:
        yield
    except BundleError:
        raise
    except (
        RecsysError,
        pa.ArrowException,
        SafetensorError,
        yaml.YAMLError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
    ) as error:
        raise BundleError(
            f"{folder} cannot be used: {error}",
            hint="export the bundle again with this version of recsys",
        ) from error
