"""Models that are only rivals: no bundle holds them and no engine serves them."""
