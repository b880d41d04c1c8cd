"""A fitted model as a folder: complete, verified before use, and without pickle."""

from recsys.bundle.contents import BundleContents, Served
from recsys.bundle.loading import Bundle, load_bundle
from recsys.bundle.manifest import SCHEMA_VERSION, DatasetRecord, Manifest, Provenance, SplitRecord
from recsys.bundle.writing import write_bundle

__all__ = [
    "SCHEMA_VERSION",
    "Bundle",
    "BundleContents",
    "DatasetRecord",
    "Manifest",
    "Provenance",
    "Served",
    "SplitRecord",
    "load_bundle",
    "write_bundle",
]
