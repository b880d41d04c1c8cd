"""Bundles and results name the configuration they were made with: its JSON must not change."""

from __future__ import annotations

import pytest

from recsys.config.loading import load_experiment
from recsys.documents import json_fingerprint

FINGERPRINTS = {
    "default": "b48e9b90dbda98b5acb73d8d9da35c0a0ecb8f6262314114eb52464cab8cfe76",
    "ml-100k-multimodal": "4c67948a1ccb2e5c8de3239c8e84d8fb2b1809a9af4ab73c61c30fcd2ddba43e",
    "mmtf-14k": "978dedc784131c404599465a3a26f545291dbf4a5ebb36277b6dad9952bd3ad2",
    "all-ratings": "27230d9fbaabda3001ecdc9a843c22a5636f295922f0cfd393c23600c68ada59",
}


@pytest.mark.parametrize(("name", "fingerprint"), FINGERPRINTS.items())
def test_the_fingerprint_of_a_shipped_configuration_is_what_it_always_was(name, fingerprint):
    experiment = load_experiment(name)
    assert experiment.fingerprint == fingerprint
    values = experiment.model_dump(mode="json", exclude={"name"})
    assert json_fingerprint(values) == fingerprint
    assert type(experiment).model_validate(values).fingerprint == fingerprint
