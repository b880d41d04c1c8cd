"""What a reader must know about a protocol besides its figures, by the way its data is divided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from recsys.benchmark.contender import Task
from recsys.benchmark.fold_in import COLD_USERS, HEADLINE_LIKES, LIKED, LIKES
from recsys.benchmark.protocols import Protocol

_MASKED = (
    "The user's training and valid movies are masked, and every other movie of the catalogue is "
    "a candidate: the whole of it is ranked, never a sample. Every test rating counts as "
    "relevant, whatever its stars. Ties go to the lower row."
)
_REFITTED = (
    "A model that does not stop early learns from train and valid together once its options are "
    "chosen, and is told both as history, since published figures of this division have no valid "
    "part."
)
_REDRAWN = (
    "Splits of different seeds share most of their ratings, so that they are not independent "
    "draws. The t-test over test parts is corrected for that; Wilcoxon's is not, and its p is "
    "optimistic. The interval takes users for the draws, not splits."
)
_TUNED_ONCE = (
    "Options are chosen on the first seed, whose train and valid hold most of the ratings that "
    "other seeds test on: figures of these are a little optimistic, for all who are tuned alike."
)
_HINDSIGHT = (
    "A random split shows a model ratings given after those it must predict. Under a split in "
    "time all figures are lower and distances between models differ."
)
_ONE_TEST = (
    "There is one test part, the same for every seed: seeds tell how much training varies, and "
    "the tests pair users."
)


@dataclass(frozen=True)
class Division:
    """How data is divided, and what that means.

    Attributes:
        split: what goes where.
        masked: what lists never hold, and which movies are candidates.
        cautions: how its figures must not be read, whatever the protocol.
        known: what a model knows when test is judged, besides what ``by_history`` tells.
        by_history: whether users are known by their training ratings.
        redrawn: whether every seed draws anew, where its protocol does not fix the seed.
    """

    split: str
    masked: str
    cautions: tuple[str, ...]
    known: str = ""
    by_history: bool = True
    redrawn: bool = False

    def split_under(self, protocol: Protocol) -> str:
        """What goes where, what of it differs between runs, and who learns from valid."""
        parts = [self.split]
        if self.redrawn:
            parts.append(_drawn(protocol))
        if protocol.refits:
            parts.append(_REFITTED)
        return " ".join(parts)

    def known_under(self, protocol: Protocol) -> str:
        """What a model knows when test is judged."""
        parts = [_history(protocol) if self.by_history else "", self.known]
        return " ".join(part for part in parts if part)

    def cautions_under(self, protocol: Protocol) -> tuple[str, ...]:
        """How its figures must not be read."""
        if not self.redrawn:
            return self.cautions
        if protocol.split_seed is not None:
            return (_ONE_TEST, *self.cautions)
        tuned = (_TUNED_ONCE,) if protocol.tunes else ()
        return (_REDRAWN, *tuned, *self.cautions)


def _drawn(protocol: Protocol) -> str:
    if protocol.split_seed is None:
        return "Every seed draws anew."
    return f"The division is the one of seed {protocol.split_seed} for every run."


def _history(protocol: Protocol) -> str:
    more = (
        "; a model that does not stop early is told their valid ratings too"
        if protocol.refits
        else ""
    )
    serves = (
        "Valid serves to choose options and to stop early"
        if protocol.tunes
        else "Nothing is tuned: the first point of every space is taken. Valid serves to stop early"
    )
    nowhere = (
        "it is in no history of a model that stops early"
        if protocol.refits
        else "it is in no history when test is judged"
    )
    return (
        f"A user's history is their training ratings{more}. {serves}; {nowhere}. The content of "
        "all movies is known."
    )


_FOLDS = Division(
    split=(
        "The five folds that come with MovieLens-100K: test of fold k is rows 20,000 (k − 1) to "
        "20,000 k of `u.data`, the same for every seed; a random 10 % of the rest, drawn with "
        "the seed, is valid."
    ),
    known=(
        "Ratings given after those of test are among what is known. A contender that is told dates "
        "or who rated what says so in its name."
    ),
    masked=_MASKED,
    cautions=(
        "Fold 1 is harder than the others; a figure for u1 and a mean of the five folds are not "
        "comparable.",
        "The folds share training ratings, which the t-test is corrected for and Wilcoxon's is "
        "not. Options are chosen on fold 1, whose training part holds test ratings of the others: "
        "the figures of these are a little optimistic.",
        "With five pairs the p of Wilcoxon's test cannot fall below 0.06.",
        "The date of a test rating, where it is an input, tells what else the user rated that day.",
    ),
)
DIVISIONS: Mapping[str, Division] = MappingProxyType(
    {
        **{f"u{fold}": _FOLDS for fold in range(1, 6)},
        "ro": Division(
            split=(
                "Each user's ratings, in the random order that RecBole 1.2.1 gives them, are "
                "dealt 8 : 1 : 1 to train, valid and test. Seed 2020 on MovieLens-100K is "
                "RecBole's very split."
            ),
            masked=_MASKED,
            cautions=(_HINDSIGHT,),
            redrawn=True,
        ),
        "random-90-10": Division(
            split="A random 10 % of all ratings are test, a random 10 % of the others valid.",
            masked=_MASKED,
            cautions=(
                _HINDSIGHT,
                "It leaves more to learn from than u1 to u5 do: figures of the two are not "
                "comparable.",
            ),
            redrawn=True,
        ),
        "global-time": Division(
            split=(
                "The last 10 % of all ratings by time are test, the 10 % before them valid; "
                "ratings of one second stay together."
            ),
            masked=_MASKED,
            cautions=(
                _ONE_TEST,
                "Many users of the test part are new and have no history at all: they are not "
                "judged, since what they get is no merit of a model that ranks.",
            ),
        ),
        "leave-last": Division(
            split=(
                "Each user's last rating by time is test, the one before it valid; users with "
                "fewer than three ratings stay in train."
            ),
            masked=_MASKED,
            cautions=(
                _ONE_TEST,
                "Each user has one relevant movie: Recall@10 and Hit@10 are the same, and "
                "Precision@10 cannot exceed 0.1.",
                "Ratings of other users, given later, are in train.",
            ),
        ),
        "cold-items": Division(
            split=(
                "All ratings of a random 20 % of the films are test, all ratings of 10 % of the "
                "others valid; entries of one film stay together. Nobody's rating of a cold "
                "movie is learnt from."
            ),
            known=(
                "Genres are an input of those contenders alone that say so in their name. `joint` "
                "learns to tell the genres of four fifths of the films, cold ones among them; the "
                "cold movies' places do not depend on that but through the rated ones."
            ),
            masked=(
                "Candidates are the cold test movies alone, all of them; beside it the same "
                "lists over all movies are judged, in which what a user rated in training is "
                "masked. Ties go to the lower row."
            ),
            cautions=(
                "A model that knows no content scores all cold movies alike. Ties go to the "
                "lower row, and MovieLens' first movies are its best known: such a row shows "
                "what that order is worth, not chance.",
                "Over all movies a cold one competes with movies whose ratings are known: "
                "figures are far lower and rank models differently.",
            ),
            redrawn=True,
        ),
        COLD_USERS: Division(
            split=(
                "A random 20 % of the users are held out to be judged, 10 % of the others to "
                "choose options by; a random 10 % of the ratings of the remaining users are "
                "valid, for models that stop early."
            ),
            known=(
                f"Of ten movies that a held-out user rated {LIKED:g} or better, the first n, for "
                f"n in {', '.join(map(str, LIKES))}; nothing else. Users who like fewer than ten "
                "movies are not judged."
            ),
            masked=(
                "All ten drawn movies, whatever n is, so that lists of different n are judged "
                "on the same movies. Everything else the user rated is relevant, whatever its "
                "stars."
            ),
            by_history=False,
            redrawn=True,
            cautions=(
                f"Options are chosen for {HEADLINE_LIKES} likes.",
                "Models that know a user by a row of a table cannot answer and are not listed, nor "
                "are RecBole's: they are asked for the scores of known users only.",
            ),
        ),
    }
)

_RANKING_EQUATIONS = """With R the test movies of a user, and h_j = 1 if place j = 1 … k of their
list holds one of them, else 0:

- NDCG@k = Σ_j h_j / log₂(j + 1), divided by Σ_{j ≤ min(|R|, k)} 1 / log₂(j + 1)
- Recall@k = Σ_j h_j / |R|
- MRR@k = 1 / (place of the first hit), 0 without one
- Hit@k = 1 if there is a hit, else 0
- Precision@k = Σ_j h_j / k

Each is the mean over the users with a test movie."""
_RATING_EQUATIONS = """Over all N test ratings r with prediction p, cut to the scale:

- RMSE = √(Σ (p − r)² / N), MAE = Σ |p − r| / N, in stars
- NLL of levels = −Σ ln P(r) / N, P what a model states of each level of the scale, in nats
- PIT 80 % = share of the randomised probability integral transforms within 0.1 … 0.9; an honest
  model has 0.80
- NLL, Gaussian = Σ (½ ln 2πσ² + (p − r)² / 2σ²) / N, of models that state a standard deviation;
  not comparable with that of levels
- covered by 80 % = share of ratings within p ± 1.28 σ

The interval of an RMSE's difference is over users: of Σ (p − r)² a user, divided by the sum of both
RMSEs."""
EQUATIONS: Mapping[Task, str] = MappingProxyType(
    {
        "warm": _RANKING_EQUATIONS,
        "cold": _RANKING_EQUATIONS,
        "fold-in": _RANKING_EQUATIONS,
        "rating": _RATING_EQUATIONS,
    }
)
