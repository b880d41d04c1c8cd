import hashlib
import json

import pytest
from support.served import served_world

from recsys.bundle import write_bundle
from recsys.recommenders.saving import restore


@pytest.fixture
def contents():
    return served_world().contents


@pytest.fixture
def bundle_dir(tmp_path, contents):
    write_bundle(tmp_path / "bundle", contents, restore)
    return tmp_path / "bundle"


@pytest.fixture
def sign():
    """Make the hashes of an edited bundle right again, as a careless or malicious editor would."""

    def sign(folder, **changes):
        manifest = json.loads((folder / "manifest.json").read_bytes()) | changes
        for name, record in manifest["files"].items():
            data = (folder / name).read_bytes()
            record |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        text = json.dumps(manifest).encode()
        (folder / "manifest.json").write_bytes(text)
        line = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n"
        (folder / "manifest.sha256").write_text(line)

    return sign
