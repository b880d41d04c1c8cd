"""Multimodal movie embeddings, trained jointly on genres and ratings, served from an index.

Importing this package is cheap: neither torch nor transformers is loaded until a model is trained
or a text is encoded.
"""

__version__ = "0.1.0"
