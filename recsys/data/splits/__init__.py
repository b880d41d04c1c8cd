"""Named, seeded, fingerprinted divisions of ratings into train, validation and test."""

from recsys.data.split import LabelSplit, Source, Split, SplitSpec, TrainingData
from recsys.data.splits.registry import (
    DEFAULT_SEED,
    SPLIT_NAMES,
    PartSummary,
    SplitSummary,
    describe,
    make_split,
    write_split,
)
from recsys.data.splits.rules import genre_partition

__all__ = [
    "DEFAULT_SEED",
    "SPLIT_NAMES",
    "LabelSplit",
    "PartSummary",
    "Source",
    "Split",
    "SplitSpec",
    "SplitSummary",
    "TrainingData",
    "describe",
    "genre_partition",
    "make_split",
    "write_split",
]
