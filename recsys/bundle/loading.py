"""Loading a bundle: verify, parse, check, replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import yaml
from safetensors import SafetensorError

from recsys.bundle import manifest as names
from recsys.bundle.arrays import histories_from_bytes, model_from_bytes, tower_from_bytes
from recsys.bundle.contents import BundleContents
from recsys.bundle.golden import Golden, replay
from recsys.bundle.manifest import Manifest
from recsys.bundle.tables import movies_from_bytes, users_from_bytes
from recsys.bundle.verification import read_files, read_manifest
from recsys.config.experiment import ExperimentConfig
from recsys.errors import BundleError, RecsysError
from recsys.evaluation.report import EvaluationDocument
from recsys.retrieval.index import Index
from recsys.retrieval.registry import open_index


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        contents: what was written.
        index: the index of the movies' out-embeddings.
        manifest: what the folder said of itself.
    """

    contents: BundleContents
    index: Index
    manifest: Manifest


def load_bundle(path: str | Path) -> Bundle:
    """Load a bundle.

    Sizes and hashes of all files are checked before anything is parsed, since native readers accept
    altered bytes; then the golden queries are asked.

    Raises:
        BundleError: the bundle is incomplete, altered, of another schema version, or does not
            answer as it should.
    """
    folder = Path(path)
    with _reading(folder):
        manifest = read_manifest(folder)
        files = read_files(folder, manifest)
        contents = _contents(files, manifest)
        index = open_index(manifest.index).from_bytes(files[names.INDEX])
        golden = Golden.model_validate_json(files[names.GOLDEN])
        _require_consistent(contents, index, manifest)
        replay(golden, contents, index)
    return Bundle(contents, index, manifest)


def _contents(files: dict[str, bytes], manifest: Manifest) -> BundleContents:
    config = ExperimentConfig.model_validate(yaml.safe_load(files[names.EXPERIMENT]))
    catalogue = movies_from_bytes(files[names.ITEMS], manifest.genres)
    users = users_from_bytes(files[names.USERS])
    histories, seen = histories_from_bytes(files[names.SEEN], users, catalogue.items)
    metrics = files.get(names.METRICS)
    return BundleContents(
        config=config,
        catalogue=catalogue,
        histories=histories,
        seen=seen,
        model=model_from_bytes(files[names.VECTORS], config, manifest.model),
        tower=tower_from_bytes(files[names.WEIGHTS], config),
        provenance=manifest.provenance,
        metrics=None if metrics is None else EvaluationDocument.model_validate_json(metrics),
    )


def _require_consistent(contents: BundleContents, index: Index, manifest: Manifest) -> None:
    vectors = contents.model.item_vectors().shape
    claims = {
        "users": (manifest.users.fingerprint, contents.histories.users.fingerprint),
        "movies": (manifest.items.fingerprint, contents.catalogue.items.fingerprint),
        "model": (manifest.version, contents.version),
        "index": ((index.ntotal, index.dim), vectors),
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
    ) as error:
        raise BundleError(
            f"{folder} cannot be used: {error}",
            hint="export the bundle again with this version of recsys",
        ) from error
