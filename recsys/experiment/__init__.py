"""Whole experiments: data and configuration in, a measured bundle out.

The only place that knows training and evaluation both; each of them knows nothing of the other.
"""
