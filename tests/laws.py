"""How many examples a law is tried on: the same ones in every run, or new ones while exploring."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXPLORING = "RECSYS_EXPLORE"
"""Where this is a number, examples are drawn anew, and that many times as many."""

USUAL = 100


def times() -> int:
    """How many times as many examples as usual; 0 where nothing is explored."""
    return int(os.environ.get(EXPLORING) or 0)


def examples(number: int) -> settings:
    """Settings for a law that is tried on other than the usual number of examples."""
    return settings(max_examples=number * (times() or 1))


def load_profile() -> None:
    """Settle what every law is tried with; before any of them is imported."""
    common = settings(
        # How long an example takes depends on what else the machine does: no law of the code.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        # What was found elsewhere, and is in no commit, would make one run differ from another.
        database=None,
    )
    settings.register_profile("fixed", common, derandomize=True)
    settings.register_profile("explore", common, max_examples=USUAL * (times() or 1))
    settings.load_profile("explore" if times() else "fixed")
