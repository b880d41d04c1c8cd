"""Bundles and results name the configuration they were made with: its JSON must not change."""

from __future__ import annotations

import pytest

from recsys.config.loading import load_experiment
from recsys.documents import json_fingerprint

FINGERPRINTS = {
    "default": "b48e9b90dbda98b5acb73d8d9da35c0a0ecb8f6262314114eb52464cab8cfe76",
    "ml-100k-multimodal": "16653ff689fc89b96dd77d7027383196cba6bb79e1804e901289c037f3862b2c",
    "mmtf-14k": "10425a7e6b792291efa2a80eb39aa0bfc3ed66cf1fa3a5597056f0a194ec9cfb",
    "all-ratings": "27230d9fbaabda3001ecdc9a843c22a5636f295922f0cfd393c23600c68ada59",
}


@pytest.mark.parametrize(("name", "fingerprint"), FINGERPRINTS.items())
def test_the_fingerprint_of_a_shipped_configuration_is_what_it_always_was(name, fingerprint):
    experiment = load_experiment(name)
    assert experiment.fingerprint == fingerprint
    values = experiment.model_dump(mode="json", exclude={"name"})
    assert json_fingerprint(values) == fingerprint
    assert type(experiment).model_validate(values).fingerprint == fingerprint
