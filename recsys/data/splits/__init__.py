"""Named, seeded, fingerprinted divisions of ratings into train, validation and test."""

from recsys.data.split import LabelSplit, Source, Split, SplitSpec, TrainingData
from recsys.data.splits.films import genre_partition
from recsys.data.splits.registry import DEFAULT_SEED, SPLIT_NAMES, make_split
from recsys.data.splits.report import PartSummary, SplitSummary, describe, write_split

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
