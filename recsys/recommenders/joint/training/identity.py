"""What a training is of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recsys.config.experiment import ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.files import fingerprint
from recsys.data.interactions import Interactions
from recsys.errors import AlignmentError, ConfigError

START_AGAIN: Final = (
    "train without --resume, which discards the checkpoint and starts from the beginning"
)
"""What can always be done about a checkpoint that does not fit."""


@dataclass(frozen=True)
class Identity:
    """What a training is of: another one cannot go on from its checkpoint.

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
