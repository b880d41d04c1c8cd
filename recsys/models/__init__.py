"""What a recommender is, and the embedding model. Nothing heavy is imported here."""
