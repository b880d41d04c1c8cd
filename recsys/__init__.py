"""Multimodal movie embeddings, trained jointly on genres and ratings, served from an index.

Importing this package is cheap: neither torch nor transformers is loaded until a model is trained
or a text is encoded.
"""

import os

# OpenMP's threads spin while they wait, so that two programs on two cores slow each other down more
# than tenfold (docs/decisions/0010-threads.md). Read when the library is loaded, hence set here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
