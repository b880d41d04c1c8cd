"""From a split and a configuration to a fitted embedding model."""
