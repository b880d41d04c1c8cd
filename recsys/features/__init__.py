"""From raw input to aligned vectors: one file a modality. Nothing heavy is imported here."""
