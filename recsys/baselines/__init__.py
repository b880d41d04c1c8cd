"""Simple models that every result is read against. None needs torch."""
