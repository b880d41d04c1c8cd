"""Every model that can be trained, under one registry."""
