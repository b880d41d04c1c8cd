"""Benchmarks: models, protocols, and what was measured of one under the other."""
