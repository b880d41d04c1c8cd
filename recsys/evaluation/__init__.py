"""Metrics, evaluators and results documents: they see scores, never a model's insides."""
