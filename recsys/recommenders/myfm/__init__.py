"""Bayesian factorisation machines."""
