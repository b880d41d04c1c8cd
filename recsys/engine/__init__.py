"""The only inference code: whatever serves a model asks an ``Engine``."""

from recsys.engine.engine import Engine as Engine
from recsys.engine.engine import Who as Who
from recsys.engine.extension import NewMovie as NewMovie
from recsys.engine.filters import Filters as Filters
from recsys.engine.profile import Profile as Profile
from recsys.engine.results import AudienceScore as AudienceScore
from recsys.engine.results import Because as Because
from recsys.engine.results import GenreProbability as GenreProbability
from recsys.engine.results import LikedMovie as LikedMovie
from recsys.engine.results import MovieDescription as MovieDescription
from recsys.engine.results import Prediction as Prediction
from recsys.engine.results import Recommendations as Recommendations
from recsys.engine.results import RecommendedMovie as RecommendedMovie
from recsys.engine.results import SimilarMovie as SimilarMovie
from recsys.engine.results import SimilarMovies as SimilarMovies
