"""The joint model of this project."""
