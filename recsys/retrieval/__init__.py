"""Finding the nearest movies of a vector: ranking apart from learning."""
