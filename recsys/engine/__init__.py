"""The only inference code: whatever serves a model asks an ``Engine``."""

from recsys.engine.engine import Engine, Who
from recsys.engine.extension import NewMovie
from recsys.engine.filters import Filters
from recsys.engine.profile import Profile
from recsys.engine.results import (
    AudienceScore,
    Because,
    GenreProbability,
    LikedMovie,
    MovieDescription,
    Prediction,
    Recommendations,
    RecommendedMovie,
    SimilarMovie,
    SimilarMovies,
)

__all__ = [
    "AudienceScore",
    "Because",
    "Engine",
    "Filters",
    "GenreProbability",
    "LikedMovie",
    "MovieDescription",
    "NewMovie",
    "Prediction",
    "Profile",
    "Recommendations",
    "RecommendedMovie",
    "SimilarMovie",
    "SimilarMovies",
    "Who",
]
