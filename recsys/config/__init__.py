"""Typed configuration of experiments."""
