"""One file for each format; every one gives a ``Dataset``."""
