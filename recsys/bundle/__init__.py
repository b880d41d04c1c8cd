"""A fitted model as a folder: complete, verified before use, and without pickle."""

from recsys.bundle.contents import BundleContents as BundleContents
from recsys.bundle.contents import Served as Served
from recsys.bundle.loading import Bundle as Bundle
from recsys.bundle.loading import load_bundle as load_bundle
from recsys.bundle.manifest import SCHEMA_VERSION as SCHEMA_VERSION
from recsys.bundle.manifest import DatasetRecord as DatasetRecord
from recsys.bundle.manifest import Manifest as Manifest
from recsys.bundle.manifest import Provenance as Provenance
from recsys.bundle.manifest import SplitRecord as SplitRecord
from recsys.bundle.writing import write_bundle as write_bundle
