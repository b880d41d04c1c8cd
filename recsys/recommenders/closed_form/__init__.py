"""Item-item models with a closed form."""
