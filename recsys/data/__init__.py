"""Ids, interactions, catalogues, splits: typed data that cannot exist in a bad state."""
