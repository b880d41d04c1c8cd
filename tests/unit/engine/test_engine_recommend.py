import numpy as np
import pytest
from support.served import INSATIABLE, N_ITEMS, TWINS, UNIMPRESSED

from recsys.engine import Filters
from recsys.errors import AlignmentError, ConfigError, DataError, UnknownIdError


def best_by_hand(engine, user, k):
    """Rank by the definition: u · o_i + β_i with u the weighted mean of what the user liked."""
    context, row = engine.context, engine.users.row(user)
    movies, ratings = engine.model.model.movies, context.histories.matrix()[[row]].toarray()[0]
    weight = np.where(ratings >= 4, movies.weight, 0).astype(np.float64)
    mean = weight @ movies.liked / weight.sum()
    scores = movies.ranked[:, :-1] @ mean + movies.ranked[:, -1]
    scores[context.seen[[row]].toarray()[0]] = -np.inf
    order = np.argsort(-scores, kind="stable")[:k]
    return [engine.catalogue.items.id(int(row)) for row in order], scores[order]


@pytest.mark.parametrize("user", ["u0", "u7", "u13"])
def test_the_list_is_the_definition(engine, user):
    answer = engine.recommend(user, 5)
    items, scores = best_by_hand(engine, user, 5)
    assert [movie.item for movie in answer.items] == items
    np.testing.assert_allclose([movie.score for movie in answer.items], scores, atol=1e-4)
    assert [movie.rank for movie in answer.items] == [1, 2, 3, 4, 5]
    assert answer.personalised
    assert answer.notes == []


def test_what_was_seen_is_left_out_unless_wanted(engine):
    seen = engine.user("u3").seen
    without, with_ = (
        engine.recommend("u3", N_ITEMS),
        engine.recommend("u3", N_ITEMS, exclude_seen=False),
    )
    rows = {engine.catalogue.items.row(movie.item) for movie in without.items}
    assert rows == set(np.flatnonzero(~seen).tolist())
    assert len(with_.items) == N_ITEMS


def test_asking_for_more_than_is_left_gives_all_and_says_so(engine):
    answer = engine.recommend("u3", 10**9)
    assert len(answer.items) == answer.available < N_ITEMS
    assert answer.k == 10**9
    assert answer.notes == [f"only {answer.available} movies are left, 1000000000 were asked for"]


def test_nothing_left_is_an_empty_list(engine):
    answer = engine.recommend(INSATIABLE, 3)
    assert (answer.items, answer.available) == ([], 0)
    assert "no movie is left" in answer.notes[0]


@pytest.mark.parametrize("who", [UNIMPRESSED, None])
def test_who_liked_nothing_gets_the_bias_ranking_and_is_told(engine, who):
    answer = engine.recommend(engine.profile() if who is None else who, 5, exclude_seen=False)
    bias = engine.model.model.movies.ranked[:, -1]
    order = np.argsort(-bias, kind="stable")[:5]
    assert [m.item for m in answer.items] == [f"m{row}" for row in order]
    assert not answer.personalised
    assert "no liked movie" in answer.notes[0]
    assert [entry.title for entry in answer.items[0].because] == ["(the movie itself)"]


def test_genres_are_any_of_those_named_and_case_does_not_matter(engine):
    answer = engine.recommend("u0", N_ITEMS, filters=Filters(genre=("comedy", "MUSICAL")))
    wanted = {"Comedy", "Musical"}
    assert answer.items
    assert all(wanted & set(movie.genres) for movie in answer.items)
    masked = engine.catalogue.genres[:, [1, 3]].any(axis=1) & ~engine.user("u0").seen
    assert answer.available == masked.sum()


def test_years_are_inclusive_and_unknown_years_are_left_out(engine):
    person = engine.profile(["m0"])
    answer = engine.recommend(
        person, N_ITEMS, exclude_seen=False, filters=Filters(years=(-1, 1962))
    )
    assert sorted(movie.year for movie in answer.items) == [1960, 1961, 1962]


def test_unknown_genres_name_the_nearest(engine):
    with pytest.raises(UnknownIdError, match="unknown genre 'comdey'") as caught:
        engine.recommend("u0", filters=Filters(genre=("comdey",)))
    assert "Comedy" in caught.value.nearest


def test_reversed_years(engine):
    with pytest.raises(ConfigError, match=r"1999\.\.1990 are reversed"):
        Filters(years=(1999, 1990))


@pytest.mark.parametrize("arguments", [{"k": 0}, {"k": -1}, {"because": -1}])
def test_impossible_numbers(engine, arguments):
    with pytest.raises(ConfigError, match="must be a whole number of at least"):
        engine.recommend("u0", **arguments)


def test_unknown_users_name_the_nearest(engine):
    with pytest.raises(UnknownIdError, match="unknown user 'u99'") as caught:
        engine.user("u99")
    assert caught.value.nearest


def test_unknown_and_ambiguous_movies(engine):
    title = engine.catalogue.display_title(12)
    with pytest.raises(UnknownIdError) as caught:
        engine.profile([title.replace("Movie", "Movei")])
    assert any("[m12]" in near for near in caught.value.nearest)


def test_a_profile_is_made_of_ids_and_titles(engine):
    title = engine.catalogue.display_title(12)
    person = engine.profile([title, "m4"], {"m9": 2.0})
    assert person.query.histories.toarray()[0][[4, 9, 12]].tolist() == [5, 2, 5]
    answer = engine.recommend(person, 3)
    assert answer.user is None
    assert [(movie.item, movie.title) for movie in answer.liked] == [
        ("m4", engine.catalogue.display_title(4)),
        ("m12", title),
    ]
    assert not {"m4", "m9", "m12"} & {m.item for m in engine.recommend(person, N_ITEMS).items}


def test_a_named_user_and_the_same_history_get_the_same_list(engine):
    known = engine.user("u5")
    ratings = {
        f"m{i}": float(r) for i, r in zip(known.rated, known.query.histories.data, strict=True)
    }
    named = engine.profile(ratings=ratings)
    one = engine.recommend(known, 10, exclude_seen=False).items
    assert one == engine.recommend(named, 10, exclude_seen=False).items


def test_the_twin_of_a_liked_film_is_not_recommended(engine):
    person = engine.profile([f"m{TWINS[0]}"])
    items = {movie.item for movie in engine.recommend(person, N_ITEMS).items}
    assert not items & {f"m{row}" for row in TWINS}


def test_ratings_off_the_scale_and_contradictions(engine):
    with pytest.raises(DataError, match="off the scale 1…5"):
        engine.profile(ratings={"m1": 6.0})
    with pytest.raises(DataError, match="named twice, with ratings 5 and 2"):
        engine.profile(["m1"], {engine.catalogue.display_title(1): 2.0})
    assert engine.profile(["m1", "m1"]).rated.tolist() == [1]


def test_a_profile_of_another_catalogue_is_refused(engine, features):
    from recsys.engine import NewMovie

    person = engine.user("u0")
    other = engine.add_movie(NewMovie("new", "New", {"text": features["text"][0]}))
    with pytest.raises(AlignmentError, match="another catalogue"):
        other.recommend(person)


def test_because_names_every_liked_movie_by_falling_share(engine):
    person = engine.user("u2")
    liked = {f"m{row}" for row in engine.model.model.weights(person.query).indices}
    for movie in engine.recommend(person, 3).items:
        *named, itself = movie.because
        assert {entry.item for entry in named} == liked
        assert [e.share for e in named] == sorted((e.share for e in named), reverse=True)
        assert (itself.item, itself.title) == (None, "(the movie itself)")


def test_because_can_be_shortened_and_still_adds_up(engine):
    full, short = engine.recommend("u2", 1).items[0], engine.recommend("u2", 1, because=2).items[0]
    assert [entry.title for entry in short.because[2:]] == [
        "(all other liked movies)",
        "(the movie itself)",
    ]
    assert short.because[:2] == full.because[:2]
    assert sum(e.share for e in short.because) == pytest.approx(short.score, abs=1e-4)
    many = engine.recommend("u2", 1, because=500).items[0]
    assert many.because == full.because


def test_any_movie_can_be_explained_seen_or_not(engine):
    person = engine.user("u2")
    row = int(person.rated[0])
    score = engine.model.score(person.query)[0, row]
    shares = [entry.share for entry in engine.explain("u2", f"m{row}")]
    assert sum(shares) == pytest.approx(score, abs=1e-4)


def test_one_list_computes_what_the_user_likes_once(engine, monkeypatch):
    from recsys.recommenders.joint import embedding_model

    asked, whole = [], embedding_model.liked_weights
    monkeypatch.setattr(
        embedding_model, "liked_weights", lambda *a: (asked.append(1), whole(*a))[1]
    )
    assert len(engine.recommend("u0", k=10, because=3).items) == 10
    assert len(asked) == 1
