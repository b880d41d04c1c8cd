"""Models of what movies are."""
