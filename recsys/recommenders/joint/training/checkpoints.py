"""The state of a training on disk, so that it can be killed anywhere and go on exactly.

A folder with two files: the tensors, and a JSON document that names them and holds all other state.
The tensors are written first; the document then replaces its predecessor in one rename. So a
document that is there describes a whole state, whenever the process ended; a file that it does not
name is a remnant, and is ignored.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from recsys.config.experiment import ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.files import atomic_write, fingerprint
from recsys.data.interactions import Interactions
from recsys.errors import AlignmentError, ConfigError, DataError, RecsysError

DOCUMENT: Final = "checkpoint.json"

_FORMAT = 1
_TENSORS = "state-*.safetensors"
_REMNANTS = (_TENSORS, ".state-*.tmp", f".{DOCUMENT}.*.tmp")

START_AGAIN: Final = (
    "train without --resume, which discards the checkpoint and starts from the beginning"
)
"""What can always be done about a checkpoint that does not fit."""


@dataclass(frozen=True)
class Identity:
    """Fingerprints of configuration and data; a checkpoint resumes only if all of them match.

    Attributes:
        config: every value of the experiment but its name.
        data: fingerprints of the ratings and the movies, by what they are of.
    """

    config: Mapping[str, Any]
    data: Mapping[str, str]

    @classmethod
    def of(
        cls,
        config: ExperimentConfig,
        train: Interactions,
        valid: Interactions,
        catalogue: Catalogue,
    ) -> Identity:
        """The identity of an experiment on the given material."""
        data = {
            "training ratings": train.fingerprint,
            "validation ratings": valid.fingerprint,
            "movies": fingerprint((*catalogue.titles, catalogue.years, *catalogue.film_ids)),
            "genres": fingerprint((*catalogue.genre_names, catalogue.genres)),
        }
        tables = catalogue.modalities.items()
        data |= {f"modality {name}": table.fingerprint for name, table in tables}
        return cls(config.model_dump(mode="json", exclude={"name"}), data)

    def require(self, saved: Identity, where: Path) -> None:
        """Refuse a checkpoint of something else.

        Raises:
            ConfigError: it is of another configuration.
            AlignmentError: it is of other data.
        """
        if changed := list(_differences(saved.config, self.config)):
            raise ConfigError(
                f"the checkpoint {where} is of another configuration: {'; '.join(changed)}",
                hint=f"go on with the same values, or {START_AGAIN}",
            )
        if others := [row.split(":")[0] for row in _differences(saved.data, self.data)]:
            raise AlignmentError(
                f"the checkpoint {where} is of other data: {', '.join(others)} differ",
                hint=f"go on with the same data, or {START_AGAIN}",
            )


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(_flat(there)), dict(_flat(here))
    for key in sorted(old.keys() | new.keys()):
        if key not in old or key not in new or old[key] != new[key]:
            shown = (json.dumps(side[key]) if key in side else "absent" for side in (old, new))
            yield f"{key}: {' there, '.join(shown)} here"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


@dataclass(frozen=True)
class Snapshot:
    """All that a training needs to go on.

    Attributes:
        tensors: weights, moments and random streams.
        state: everything else, as JSON can hold it.
    """

    tensors: dict[str, Tensor]
    state: dict[str, Any]


class Checkpoints:
    """Writes snapshots into a folder, and reads the last one back.

    Args:
        folder: where; made if need be.
        identity: what is trained.
        seconds: least time between two snapshots; with 0 one is always due.
    """

    def __init__(self, folder: Path, identity: Identity, seconds: float) -> None:
        self.folder, self.identity, self.seconds = folder, identity, seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether it is time for another one."""
        return time.monotonic() - self._last >= self.seconds

    def write(self, snapshot: Snapshot) -> None:
        """Put a snapshot in the place of the last one."""
        data: bytes = save(
            {name: t.detach().cpu().clone().contiguous() for name, t in snapshot.tensors.items()}
        )
        digest = hashlib.sha256(data).hexdigest()
        tensors = f"state-{digest[:16]}.safetensors"
        with atomic_write(self.folder / tensors) as temporary:
            temporary.write_bytes(data)
        document = {
            "format": _FORMAT,
            "tensors": {"file": tensors, "sha256": digest},
            "identity": asdict(self.identity),
            "state": snapshot.state,
        }
        with atomic_write(self.folder / DOCUMENT) as temporary:
            signed = document | {"sha256": _hash(document)}
            temporary.write_text(json.dumps(signed), encoding="utf-8")
        _remove_remnants(self.folder, keep=tensors)
        self._last = time.monotonic()

    def read(self) -> Snapshot | None:
        """The last snapshot, or None where there is none.

        Raises:
            DataError: it is torn or altered, or was written by another version.
            ConfigError: it is of another configuration.
            AlignmentError: it is of other data.
        """
        document = read_document(self.folder)
        if document is None:
            return None
        self.identity.require(Identity(**document["identity"]), self.folder)
        return Snapshot(_tensors(self.folder, document["tensors"]), document["state"])


def read_document(folder: Path) -> dict[str, Any] | None:
    """The checked document of a checkpoint, or None where there is none.

    Raises:
        DataError: it is torn or altered, or was written by another version.
    """
    path = folder / DOCUMENT
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_bytes())
        claimed = document.pop("sha256")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise _torn(path) from error
    if claimed != _hash(document):
        raise _torn(path)
    if document["format"] != _FORMAT:
        found = document["format"]
        raise DataError(f"{path} has format {found}, {_FORMAT} is needed", hint=START_AGAIN)
    return dict(document)


def discard_checkpoint(folder: Path) -> bool:
    """Remove a checkpoint and its remnants, and the folder if nothing else is in it.

    Returns:
        Whether there was one.
    """
    was_there = (folder / DOCUMENT).is_file()
    (folder / DOCUMENT).unlink(missing_ok=True)
    _remove_remnants(folder)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return was_there


def _tensors(folder: Path, record: Mapping[str, str]) -> dict[str, Tensor]:
    path = folder / record["file"]
    if not path.is_file():
        raise _torn(path, "is missing")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != record["sha256"]:
        raise _torn(path)
    try:
        return dict(load(data))
    except SafetensorError as error:
        raise _torn(path) from error


def _torn(path: Path, what: str = "is torn or altered") -> RecsysError:
    return DataError(f"{path} {what}: the training cannot go on from it", hint=START_AGAIN)


def _hash(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _remove_remnants(folder: Path, keep: str = "") -> None:
    for pattern in _REMNANTS:
        for path in folder.glob(pattern):
            if path.name != keep:
                path.unlink(missing_ok=True)
