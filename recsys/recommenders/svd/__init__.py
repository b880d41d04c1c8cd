"""SVD and SVD++."""
