"""Named, seeded, fingerprinted divisions of ratings into train, validation and test."""

from recsys.data.splits.films import genre_partition
from recsys.data.splits.registry import DEFAULT_SEED, SPLIT_NAMES, make_split
from recsys.data.splits.report import PartSummary, SplitSummary, describe, write_split
from recsys.data.splits.split import LabelSplit, Split, SplitSpec

__all__ = [
    "DEFAULT_SEED",
    "SPLIT_NAMES",
    "LabelSplit",
    "PartSummary",
    "Split",
    "SplitSpec",
    "SplitSummary",
    "describe",
    "genre_partition",
    "make_split",
    "write_split",
]
