"""Cards of trailer encoders, which are made of parts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from recsys.config.trailers import DecodingConfig
from recsys.data.catalogue import EncoderCard
from recsys.errors import MissingExtra

NO_WEIGHTS = "Apache-2.0"
"""Licence of what is computed by this program alone."""


def joined(parts: Sequence[EncoderCard]) -> EncoderCard:
    """The card of vectors that are put together end to end, from the card of each part."""

    def all_of(field: str) -> str:
        return " ⊕ ".join(value for part in parts if (value := getattr(part, field)))

    return EncoderCard(
        name=all_of("name"),
        revision=all_of("revision"),
        dim=sum(part.dim for part in parts),
        preprocessing=all_of("preprocessing"),
        pooling=all_of("pooling"),
        licence=all_of("licence"),
        paper=all_of("paper"),
        notes=all_of("notes"),
    )


def decoding(config: DecodingConfig) -> str:
    """Which part of a file is decoded, and by what.

    Raises:
        MissingExtra: PyAV is not installed.
    """
    return (
        f"the first {config.max_seconds:g} s, decoded by PyAV {pyav_version()}; at least "
        f"{config.min_share:g} of the file, at most {config.max_pixels} pixels and "
        f"{config.max_channels} channels"
    )


def pyav_version() -> str:
    """Major version of PyAV: another FFmpeg may round otherwise.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return version("av").partition(".")[0]
    except PackageNotFoundError:
        raise MissingExtra("av", "trailers") from None
