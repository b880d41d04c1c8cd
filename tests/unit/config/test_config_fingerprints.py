"""Bundles and results name the configuration they were made with: its JSON must not change."""

from __future__ import annotations

import pytest

from recsys.config.loading import load_experiment
from recsys.documents import json_fingerprint

FINGERPRINTS = {
    "default": "4a6c852c0de50c3597fb5512b0b898bb229e4d4c11a20b08070ce2b1ddab9c20",
    "ml-100k-multimodal": "ac03588efd63f42184b8835e7004a07a502555c84fe967990b44a5ea5634c911",
    "mmtf-14k": "0fa02c04c2e58e00cf1993affdc7f98a6a7941a06524334f7e0529078c48420e",
    "asp-gated": "0af4295455a9c28bc9bcbe337094cef72b0fec770b68d2fa401abacf61060fa3",
}


@pytest.mark.parametrize(("name", "fingerprint"), FINGERPRINTS.items())
def test_the_fingerprint_of_a_shipped_configuration_is_what_it_always_was(name, fingerprint):
    experiment = load_experiment(name)
    assert experiment.fingerprint == fingerprint
    values = experiment.model_dump(mode="json", exclude={"name"})
    assert json_fingerprint(values) == fingerprint
    assert type(experiment).model_validate(values).fingerprint == fingerprint
