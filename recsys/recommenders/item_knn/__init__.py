"""Item-kNN for lists and for stars."""
