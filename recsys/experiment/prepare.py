"""From a configuration to data that is ready to train on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.config.experiment import ExperimentConfig
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.sources import open_dataset
from recsys.data.splits import LabelSplit, Split, genre_partition, make_split
from recsys.features.cache import FeatureCache
from recsys.features.extract import Extraction, ExtractionReport, Origin, extract


@dataclass(frozen=True)
class Prepared:
    """The material of one experiment.

    Attributes:
        config: the experiment.
        dataset: the ratings and movies as they were read.
        catalogue: the movies with their modalities.
        split: train, valid, test.
        labels: the movies whose genres train, choose and test.
        extraction: what encoding each modality came to.
    """

    config: ExperimentConfig
    dataset: Dataset
    catalogue: Catalogue
    split: Split
    labels: LabelSplit
    extraction: list[ExtractionReport]


def prepare(
    config: ExperimentConfig, data_dir: Path | None = None, cache: FeatureCache | None = None
) -> Prepared:
    """Read, encode and split.

    Args:
        config: the experiment.
        data_dir: where to look for the data set, instead of the usual places.
        cache: where encoded features are kept; the user's cache folder by default.

    Raises:
        DataError: the data cannot be found or used, or the split is not defined for it.
        ConfigError: the split or an encoder is unknown.
    """
    dataset, split = read_and_split(config, data_dir)
    extraction = extract_features(config, dataset, cache)
    # By the movies that are trained on: a source may have given them titles, years and genres.
    labels = genre_partition(extraction.catalogue, config.seed)
    return Prepared(config, dataset, extraction.catalogue, split, labels, extraction.reports)


def extract_features(
    config: ExperimentConfig, dataset: Dataset, cache: FeatureCache | None = None
) -> Extraction:
    """The movies of a data set with every configured fact and modality.

    Raises:
        DataError: a source is missing or cannot be used as it is.
        ConfigError: a source or an encoder is configured as it cannot be.
    """
    origin = Origin(dataset.name, dataset.interactions.item_counts())
    return extract(dataset.catalogue, config.features, config.sources, origin, cache)


def read_and_split(config: ExperimentConfig, data_dir: Path | None) -> tuple[Dataset, Split]:
    """The data set and its split, without features: all that evaluating a bundle needs."""
    dataset = open_dataset(config.data.name, data_dir, config.data.on_bad_row)
    spec = config.split
    return dataset, make_split(dataset.interactions, dataset.catalogue, spec.name, spec.seed)
