from __future__ import annotations

import numpy as np
import pytest

from recsys.benchmark.entries import Entry, entry_named
from recsys.benchmark.leaderboard import leaderboards
from recsys.benchmark.markdown import aligned, p_value, seconds, tidied
from recsys.benchmark.report import Renderer, pages, with_tables
from recsys.benchmark.results import PermutationTest, Trial, read
from recsys.benchmark.spaces import grid
from recsys.errors import DataError
from recsys.recommenders.base import Facts

START, END = "<!-- bench:start -->", "<!-- bench:end -->"
FOLDS = tuple(f"u{k}" for k in range(1, 6))


def written(bench):
    pytest.importorskip("jinja2", reason="the bench extra")
    documents = read(bench.folder)
    return pages(documents, leaderboards(documents), bench.folder)


@pytest.fixture
def known(monkeypatch):
    """Takes some entries for all there are."""

    def take(*found: Entry):
        for module in ("entries", "report"):
            monkeypatch.setattr(f"recsys.benchmark.{module}.ENTRIES", found)
        entry_named.cache_clear()

    yield take
    monkeypatch.undo()
    entry_named.cache_clear()


def add_some(bench, joint: float = 0.35, ease: float = 0.32) -> None:
    bench.add("ml-ro", "joint", joint, family="ours", fit=60.0)
    bench.add("ml-ro", "ease", ease, fit=0.3)
    bench.add("ml-ro", "popularity", 0.14, fit=0.001)


def add_stars(bench, *names: str) -> None:
    for place, name in enumerate(names):
        bench.add("ml-u", name, 0.8 + place / 10, task="rating", folds=FOLDS, seeds=(2020, 2021))


def entry(name: str, **more) -> Entry:
    facts = Facts("statistics", name)
    return Entry(name, "classic", frozenset({"warm"}), facts, lambda *_: None, **more)


def test_a_claim_is_printed_where_the_tests_support_it(bench) -> None:
    add_some(bench)
    page = written(bench)["protocols/ml-ro.md"]
    assert "`joint` is shown to be better than `ease`, `popularity`." in page
    assert "`ease` is shown to be worse than `joint`." in page


def test_no_claim_is_printed_where_they_do_not(bench) -> None:
    add_some(bench, joint=0.32)
    found = written(bench)
    page = found["protocols/ml-ro.md"]
    assert "`joint` has no difference shown from `ease`." in page
    assert "`joint` is shown to be better than `popularity`." in page
    assert "no difference is shown" in found["REPORT.md"]


@pytest.mark.parametrize(
    ("joint", "said"),
    [
        (0.35, "| **joint** | 0.35"),
        (0.30, "| **ease** | 0.32"),
        (0.35, "best of 3, shown to be better than all others"),
        (0.30, "`ease` has the best mean of 3"),
        (0.32, "No difference from it is shown for"),
    ],
)
def test_the_guide_follows_the_data(bench, joint, said) -> None:
    add_some(bench, joint=joint)
    assert said in written(bench)["CHOOSING.md"]


def test_the_guide_takes_what_fits_much_faster_and_is_not_shown_to_be_worse(bench) -> None:
    bench.add("ml-ro", "joint", 0.323, family="ours", fit=60.0, noise=0.03)
    bench.add("ml-ro", "ease", 0.32, fit=0.3, noise=0.03)
    bench.add("ml-ro", "popularity", 0.14, fit=0.001)
    guide = written(bench)["CHOOSING.md"]
    assert "| **ease** | 0.3" in guide
    assert "level with the best, `joint` (0.3" in guide
    assert "fits in 0.30 s against 60.0 s" in guide
    assert "**popularity**" not in guide


def test_who_has_no_content_is_told_what_to_take(bench) -> None:
    for name, worth in (("ease-content", 0.34), ("vbpr", 0.33), ("ease", 0.32)):
        bench.add("ml-ro", name, worth)
    line = next(li for li in written(bench)["CHOOSING.md"].splitlines() if "**ease-content**" in li)
    assert "; without content: `ease` (0.3" in line
    bench.add("ml-ro", "implicit-als", 0.36)
    assert "without content" not in written(bench)["CHOOSING.md"]


def test_who_is_not_shown_to_be_worse_but_far_off_is_not_level(bench) -> None:
    for name, worth, fit in (("slow", 0.88, 60.0), ("quick", 0.93, 1.0)):
        more = {"fit": fit, "folds": FOLDS[:3], "seeds": (2020,), "noise": 0.001}
        bench.add("ml-u", name, worth, task="rating", per_user=False, **more)
    guide = written(bench)["CHOOSING.md"]
    assert "No difference from it is shown for `quick`" in guide
    assert "| **slow** |" in guide


@pytest.mark.parametrize(("fit", "of_best"), [(0.3, 2.0), (30.0, 40.0)])
def test_a_little_faster_is_not_faster(bench, fit, of_best) -> None:
    bench.add("ml-ro", "joint", 0.323, family="ours", fit=of_best, noise=0.03)
    bench.add("ml-ro", "ease", 0.32, fit=fit, noise=0.03)
    guide = written(bench)["CHOOSING.md"]
    assert "| **joint** | 0.3" in guide
    assert "| best of 2; without content: `ease` (0.3" in guide


@pytest.mark.parametrize(
    ("beside", "told"), [(0.1, True), (0.02, True), (0.0, False), (-0.02, False)]
)
def test_the_guide_tells_who_is_better_by_another_figure(bench, beside, told) -> None:
    cold = {"task": "cold", "split": "cold-items"}
    bench.add("ml-cold", "joint", 0.35, family="ours", **cold)
    bench.add("ml-cold", "marec", 0.30, beside=beside, **cold)
    bench.add("ml-cold", "random", 0.05, family="oracle", beside=1.0, **cold)
    guide = written(bench)["CHOOSING.md"]
    said = "By NDCG@10, all movies, `marec` is shown to be better than `joint`"
    assert (said in guide) == told
    assert ("not what showing them costs" in guide) == told
    assert "`random` is shown" not in guide
    row = "| … in one list with the movies that have ratings? | **marec** | "
    assert (row in guide) == told
    assert ("shown to be better than `joint` (" in guide) == told


@pytest.mark.parametrize(("beside", "below"), [(0.0, True), (0.06, False)])
def test_the_guide_tells_what_chance_reaches_by_another_figure(bench, beside, below) -> None:
    cold = {"task": "cold", "split": "cold-items"}
    bench.add("ml-cold", "joint", 0.35, family="ours", beside=beside, **cold)
    bench.add("ml-cold", "marec", 0.30, beside=0.1, **cold)
    random = bench.add("ml-cold", "random", 0.05, family="oracle", beside=0.05, **cold)
    guide = written(bench)["CHOOSING.md"]
    chance = np.mean([run.metrics["overall.ndcg@10"] for run in random.runs])
    assert f"(chance: {chance:.4f})" in guide
    assert ("The mean of our `joint`, 0.0" in guide) == below
    assert ("is worse than chance." in guide) == below


def test_who_is_told_the_day_of_the_test_is_not_what_to_serve(bench) -> None:
    add_stars(bench, "myfm-ordinal-date", "myfm-regression-date", "myfm-ordinal-side", "bias")
    guide = written(bench)["CHOOSING.md"]
    assert "`myfm-ordinal-date` is told the day on which the test rating was given" in guide
    assert "To serve, take `myfm-ordinal-side`, the best that can be served (RMSE: " in guide
    assert "| **myfm-ordinal-side** | " in guide
    assert "the best that can be served: `myfm-ordinal-date` (" in guide


def test_nothing_is_said_of_the_day_where_the_best_is_not_told_it(bench) -> None:
    add_stars(bench, "myfm-ordinal-side", "myfm-ordinal-date")
    assert "the day on which" not in written(bench)["CHOOSING.md"]


def test_a_place_among_some_of_those_planned_says_so(bench, known) -> None:
    add_some(bench)
    bench.add("mmtf-ro", "joint", 0.30, family="ours")
    bench.add("ml-leave-last", "joint", 0.30, family="ours", split="leave-last")
    bench.add("ml-leave-last", "ease", 0.20, split="leave-last")
    guide = written(bench)["CHOOSING.md"]
    assert "| 1st of the 2 measured | 1st of the 2 measured |" in guide
    assert "| the only one measured | the only one measured |" in guide
    both = tuple(entry(name) for name in ("joint", "ease"))
    known(*both)
    assert "| 1st of 2 | 1st of 2 |" in written(bench)["CHOOSING.md"]


def test_the_guide_answers_each_question_by_the_protocol_that_is_about_it(bench) -> None:
    add_some(bench)
    bench.add("ml-ro", "bias", 0.9, task="rating")
    for name, worth in (("bias", 0.88), ("svd", 0.87)):
        bench.add("ml-u", name, worth, task="rating", folds=FOLDS, seeds=(2020,))
    guide = written(bench)["CHOOSING.md"]
    summary = next(line for line in guide.splitlines() if line.startswith("| How many stars"))
    assert "**svd**" in summary
    assert "[ml-u]" in summary
    assert "Our model was not measured on it." in guide


def test_models_that_answer_every_question_are_named(bench) -> None:
    add_some(bench)
    bench.add("ml-cold", "joint", 0.3, family="ours", task="cold", split="cold-items")
    bench.add("ml-cold", "content-knn", 0.4, task="cold", split="cold-items")
    guide = written(bench)["CHOOSING.md"]
    assert "| joint | 1 of 3 | 2 of 2 |" in guide
    assert "not of one trained model that answers all" in guide
    assert "| ease | 2 of 3" not in guide


def test_without_our_model_the_report_says_so(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    found = written(bench)
    assert "Our model was not measured here; the best of 1 is `ease`." in found["REPORT.md"]
    assert "Only `ease` was measured" in found["CHOOSING.md"]


def test_cold_movies_are_evaluated_among_themselves_and_among_all(bench) -> None:
    bench.add("ml-cold", "joint", 0.3, family="ours", task="cold", split="cold-items")
    bench.add("ml-cold", "true-popularity", 0.5, family="oracle", task="cold", split="cold-items")
    page = written(bench)["protocols/ml-cold.md"]
    assert "| NDCG@10 | Recall@10 | NDCG@10, all movies | Recall@10, all movies |" in page
    models, oracles = page.split("The ends of the scale")
    assert "true-popularity" not in models
    assert "| true-popularity | oracle |" in oracles.split("###", maxsplit=1)[0]


def test_stars_stand_apart_from_lists(bench) -> None:
    add_some(bench)
    bench.add("ml-ro", "bias", 0.9, task="rating")
    page = written(bench)["protocols/ml-ro.md"]
    ranking, rating = page.split("## Predicting ratings")
    assert "| bias |" not in ranking
    assert "| bias | classic |" in rating
    assert "RMSE" not in ranking


def test_held_out_users_are_evaluated_by_what_is_given(bench) -> None:
    bench.add("ml-cold-users", "ease", 0.3, task="fold-in", split="cold-users")
    page = written(bench)["protocols/ml-cold-users.md"]
    assert "NDCG@10, given-1 | NDCG@10, given-3 | NDCG@10, given-5 | NDCG@10, given-10" in page
    assert "the first n, for n in 1, 3, 5, 10" in page


def test_configurations_that_failed_are_told_with_the_reason(bench) -> None:
    trials = [
        Trial(hyper_parameters={"k": 10}, score=0.25, seconds=1.5),
        Trial(
            hyper_parameters={"k": 20},
            score=None,
            seconds=0.5,
            failure="ValueError: too few | users\n…",
        ),
    ]
    bench.add("ml-ro", "item-knn", 0.3, trials=trials)
    page = written(bench)["protocols/ml-ro.md"]
    line = next(li for li in page.splitlines() if li.startswith("| item-knn | `k=10` |"))
    assert line.endswith(" | 2 of 12, 1 failed | 2.00 | 0.2500 | 2020 |")
    assert "| item-knn | 1 | ValueError: too few \\| users |" in page


def test_the_table_of_tuning_tells_where_a_search_began_and_where_a_range_ended(
    bench, known
) -> None:
    wide = grid(l2=(10, 100, 1000), shrink=(0.0, 1.0), kind=("a", "b", "c"))
    found = (
        entry("high", space=wide, first_from="valid of another split"),
        entry("low", space=wide),
        entry("middle", space=wide),
        entry("fixed"),
    )
    known(*found)
    for name, l2 in (("high", 1000), ("low", 10), ("middle", 100), ("gone", 1000)):
        trial = Trial(
            hyper_parameters={"l2": l2, "shrink": 1.0, "kind": "c"}, score=0.3, seconds=1.0
        )
        bench.add("ml-ro", name, 0.3, trials=[trial])
    bench.add("ml-ro", "fixed", 0.3, trials=[])
    page = written(bench)["protocols/ml-ro.md"]
    assert "| high | `l2=1000 ↑, shrink=1.0, kind=c` | valid of another split | 1 of 12 |" in page
    assert "| low | `l2=10 ↓, shrink=1.0, kind=c` | its documentation |" in page
    assert "| middle | `l2=100, shrink=1.0, kind=c` | its documentation |" in page
    assert "| gone | `l2=1000, shrink=1.0, kind=c` | – |" in page
    assert "| fixed | nothing to choose | – |" in page
    assert "the range ended there" in page
    assert "come from an earlier search on valid" in page


def test_nothing_to_choose_and_no_run_are_told(bench) -> None:
    bench.add("ml-ro", "popularity", 0.14, trials=[])
    bench.add("ml-ro", "broken", 0.3, seeds=())
    page = written(bench)["protocols/ml-ro.md"]
    assert "| popularity | nothing to choose | 0 of 12 |" in page
    assert "Without a run that was kept: `broken`." in page


def test_who_was_measured_on_some_of_the_parts_gets_no_place_however_good(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    bench.add("ml-ro", "item-knn", 0.28)
    bench.add("ml-ro", "slow", 0.5, seeds=(2020, 2021))
    pages = written(bench)
    page = pages["protocols/ml-ro.md"]
    assert "the best of 2 is `ease`" in page
    assert "given no place" in page
    assert "| slow | 0.5" in page
    assert "2 of 10" in page
    assert "slow" not in pages["CHOOSING.md"]
    assert "given no place: `slow`." in pages["REPORT.md"]


def test_places_are_of_the_test_parts_of_our_model(bench) -> None:
    bench.add("ml-ro", "joint", 0.3, family="ours", seeds=(2020, 2021, 2022, 2023, 2024))
    bench.add("ml-ro", "ease", 0.28)
    bench.add("ml-ro", "slow", 0.5, seeds=(2020, 2021))
    page = written(bench)["protocols/ml-ro.md"]
    assert "`joint` is 1st of 2" in page
    assert "2 of 5" in page


def test_a_budget_is_stated_once_and_different_ones_are_a_warning(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    same = "Every model had the same budget: 8 configurations and 600 s of trials."
    assert same in written(bench)["REPORT.md"]
    bench.add("ml-ro", "pampered", 0.4, budget=(100, 600.0))
    warned = written(bench)["REPORT.md"]
    assert same not in warned
    assert "**Budgets differ**" in warned
    assert "100 configurations and 600 s of trials: `pampered`" in warned


def test_a_protocol_that_fixes_the_split_and_tunes_nothing_says_so(bench) -> None:
    bench.add("recbole-2020", "EASE (RecBole)", 0.33, family="recbole", trials=[])
    bench.add("ml-ro", "ease", 0.3)
    found = written(bench)
    page, usual = found["protocols/recbole-2020.md"], found["protocols/ml-ro.md"]
    assert "The split is the one of seed 2020 for every run." in page
    assert "There is one test part, the same for every seed" in page
    assert page.count("Nothing is tuned: the first configuration of every space is taken.") == 2
    anew = (
        "Every seed draws anew.",
        "Splits of different seeds",
        "same budget",
        "chosen on the first seed",
    )
    assert [text in usual for text in anew] == [True] * 4
    assert [text in page for text in anew] == [False] * 4
    assert "Nothing is tuned" not in usual
    assert "Under `recbole-2020` nothing is tuned" in found["REPORT.md"]


def test_a_protocol_that_refits_says_who_knows_valid(bench) -> None:
    stars = {"task": "rating", "seeds": (2020,)}
    bench.add("ml-90-10", "bias", 0.9, split="random-90-10", **stars)
    bench.add("ml-u", "bias", 0.9, folds=FOLDS, **stars)
    bench.add("ml-ro", "bias", 0.9, **stars)
    pages = written(bench)
    for name in ("ml-90-10", "ml-u"):
        page = pages[f"protocols/{name}.md"]
        assert "a model that does not stop early is told their valid ratings too" in page
        assert "it is in no history of a model that stops early." in page
        assert "in no history when test is evaluated" not in page
    usual = pages["protocols/ml-ro.md"]
    assert "it is in no history when test is evaluated" in usual
    assert "does not stop early" not in usual


def test_a_figure_has_one_spread_wherever_it_is_printed(bench) -> None:
    made = bench.add("ml-u", "svd", 0.9, task="rating", folds=FOLDS, seeds=(2020, 2021))
    found = written(bench)
    for name in ("rmse", "mae"):
        values = np.array([run.metrics[f"rating.{name}"] for run in made.runs]).reshape(
            len(FOLDS), 2
        )
        means = values.mean(axis=1)
        printed = f"{means.mean():.4f} ± {means.std(ddof=1):.4f}"
        assert printed != f"{means.mean():.4f} ± {values.std(ddof=1):.4f}"
        assert f" | {printed} | " in found["REPORT.md"]
        assert f" | {printed} | " in found["protocols/ml-u.md"]


def test_two_evaluators_are_compared(bench) -> None:
    close = bench.add(
        "ml-ro",
        "EASE (RecBole)",
        0.33,
        family="recbole",
        reference=lambda ours: {"ndcg@10": ours["ndcg@10"] + 1e-8, "unheard-of": 5.0},
    )
    far = bench.add(
        "ml-ro",
        "BPR (RecBole)",
        0.29,
        family="recbole",
        reference=lambda ours: {"recall@10": ours["recall@10"] - 1e-3},
    )
    lines = Renderer([close, far], []).table("references", "ml-ro").splitlines()
    assert lines[2].endswith("| 10 | 1.0e-08 | yes |")
    assert lines[3].endswith("| 10 | 1.0e-03 | **no** |")
    assert Renderer([], []).table("references", "ml-ro") == ""


def test_known_figures_of_recbole_are_met_or_not(bench) -> None:
    bench.add("recbole-2020", "EASE (RecBole)", 0.33 - 0.0001, family="recbole", noise=0.0)
    bench.add("recbole-2020", "BPR (RecBole)", 0.27, family="recbole")
    bench.add("recbole-2020", "ADMMSLIM (RecBole)", 0.33, family="recbole", seeds=(2021, 2022))
    bench.add("recbole-2020", "recvae", 0.324, family="classic")
    found = {
        line.split(" | ")[0]: line
        for line in Renderer(read(bench.folder), []).table("anchors").splitlines()
    }
    assert "**no**" in found["| BPR"]
    assert "not measured" in found["| ADMMSLIM"]
    assert "not measured" in found["| RecVAE"]
    value = float(found["| EASE"].split(" | ")[2])
    assert ("yes" in found["| EASE"]) == (abs(value - 0.33) <= 0.005)


def test_a_known_figure_is_compared_with_the_mean_of_the_training_seeds(bench) -> None:
    made = bench.add("recbole-2020", "BPR (RecBole)", 0.29, family="recbole", seeds=(2020, 2021))
    runs = [run.model_copy(update={"split": made.runs[0].split}) for run in made.runs]
    made.model_copy(update={"runs": runs}).save(bench.folder / "recbole-2020" / "BPR-RecBole.json")
    line = next(
        li for li in Renderer(read(bench.folder), []).table("anchors").splitlines() if "BPR" in li
    )
    mean, each = line.split(" | ")[2:4]
    values = [run.metrics["ranking.ndcg@10"] for run in runs]
    assert values[0] != values[1]
    assert float(mean) == pytest.approx(np.mean(values), abs=1e-4)
    assert [float(value) for value in each.split(", ")] == pytest.approx(values, abs=1e-4)


def test_known_figures_are_told_with_what_they_were_stopped_by(bench) -> None:
    bench.add("recbole-2020", "BPR (RecBole)", 0.29, family="recbole")
    report = written(bench)["REPORT.md"]
    assert "`run_recbole` each, which stops early by MRR@10" in report
    assert "settled after both had been seen" in report
    assert "(../docs/decisions/0016-benchmark.md)" in report


def test_what_recbole_alone_finds_stands_beside_ours(bench) -> None:
    def told(ranking):
        return {"native/ndcg@10": 0.1234}

    bench.add("recbole-2020", "BPR (RecBole)", 0.29, family="recbole", reference=told)
    report = written(bench)["REPORT.md"]
    assert "| BPR | 0.292 | 0.2" in report
    assert "| 0.1234 | " in report


def test_the_best_published_is_no_construction_of_ours(bench) -> None:
    bench.add("ml-ro", "joint", 0.30, family="ours")
    bench.add("ml-ro", "ease-content", 0.32)
    bench.add("ml-ro", "ease", 0.31)
    line = next(li for li in written(bench)["REPORT.md"].splitlines() if li.startswith("| [ml-ro]"))
    assert "| ease-content 0.3" in line
    assert line.split(" | ")[-2].startswith("ease 0.3")


def test_whose_hyper_parameters_were_chosen_for_lists_is_told_beside_stars(bench) -> None:
    for name, family in (("joint", "ours"), ("item-knn", "classic"), ("bias", "classic")):
        bench.add("ml-ro", name, 0.9, task="rating", family=family)
        bench.add("ml-u", name, 0.9, task="rating", family=family, folds=FOLDS, seeds=(2020,))
    found = written(bench)
    told = (
        found["protocols/ml-ro.md"]
        .split("Hyper-parameters of ")[1]
        .split(" were chosen by NDCG@10")[0]
    )
    assert sorted(told.split(", ")) == ["`item-knn`", "`joint`"]
    assert "were chosen by NDCG@10 here" in found["REPORT.md"]
    assert "were chosen by NDCG@10 here" not in found["protocols/ml-u.md"]


def test_a_page_tells_what_content_is(bench) -> None:
    bench.add("ml-ro", "ease", 0.3)
    assert "Content" not in written(bench)["protocols/ml-ro.md"]
    document = bench.add("ml-ro", "marec", 0.3)
    content = {"metadata": 1.0, "poster": 0.973}
    document.model_copy(update={"content": content}).save(bench.folder / "ml-ro" / "marec.json")
    page = written(bench)["protocols/ml-ro.md"]
    assert "**Content.** metadata (100% of the movies), poster (97% of the movies)." in page


def test_known_figures_are_of_one_protocol(bench) -> None:
    bench.add("ml-u", "EASE (RecBole)", 0.33, family="recbole")
    assert Renderer(read(bench.folder), []).table("anchors") == ""


def test_the_report_tells_how_long_everything_took(bench) -> None:
    bench.add("ml-ro", "joint", 0.3, family="ours", fit=1800.0, seeds=(1, 2, 3))
    report = written(bench)["REPORT.md"]
    told = "1 trials, 0 permutation tests and 3 runs took 1.7 hours of one core"
    assert told in report, "3 × (1800 + 180) s and a trial"
    null = PermutationTest(seed=1, split="ro", seconds=3600.0, checks={})
    bench.add("ml-ro", "joint", 0.3, family="ours", fit=1800.0, seeds=(1, 2, 3), permutation=null)
    report = written(bench)["REPORT.md"]
    assert "1 permutation tests and 3 runs took 2.7 hours" in report


def test_a_page_shows_what_fits_to_shuffled_ratings_came_to(bench) -> None:
    bench.add("ml-ro", "random", 0.01, family="oracle")
    bench.add("ml-ro", "ease", 0.3)
    told = "Not fitted to shuffled ratings yet: `ease`."
    assert told in written(bench)["protocols/ml-ro.md"], "an oracle never is"
    values = {"ndcg@10": 0.0111, "others": 0.01, "personal": -0.32, "chance": 0.0072}
    lists = values | {"deviations": 1.234}
    for name, checks in (("ease", lists), ("bias", {"explained": -0.0512})):
        null = PermutationTest(seed=1, split="ro", seconds=1.0, checks=checks)
        bench.add("ml-ro", name, 0.3, permutation=null)
    bench.add("ml-ro", "item-knn", 0.2)
    leaky = PermutationTest(
        seed=1, split="ro", seconds=1.0, checks=lists, failure="permuted/personal is 9"
    )
    bench.add("ml-ro", "leaky", 0.9, permutation=leaky)
    page = written(bench)["protocols/ml-ro.md"]
    assert "Failed, and therefore not ranked: `leaky`." in page
    assert "| leaky | classic |" not in page
    assert "| ease | 0.0111 | 0.0100 | -0.3 | 0.0072 | 1.2 | – |" in page
    assert "| bias | – | – | – | – | – | -0.051 |" in page
    assert "Not fitted to shuffled ratings yet: `item-knn`." in page


def test_the_readme_gets_its_table_between_its_markers(bench) -> None:
    add_some(bench)
    tables = {"bench": Renderer([], []).table("readme", leaderboards(read(bench.folder)))}
    text = f"# before\n{START}\nold\n{END}\nafter\n"
    once = with_tables(text, tables)
    assert once.startswith(f"# before\n{START}\n| protocol |")
    assert once.endswith(f"{END}\nafter\n")
    assert "old" not in once
    assert with_tables(once, tables) == once
    assert with_tables("no markers", tables) == "no markers"


@pytest.mark.parametrize("text", [START, END, f"{END} {START}"])
def test_a_readme_with_half_a_marker_is_an_error(bench, text) -> None:
    add_some(bench)
    with pytest.raises(DataError, match="README"):
        with_tables(text, {"bench": "x\n"})


def test_tables_align_numbers_and_leave_out_what_nobody_has() -> None:
    found = aligned("name | value | none\n\na\\|b | 1.5 ± 0.1 | –\nc | – | –\n")
    assert found == "| name | value |\n| --- | ---: |\n| a\\|b | 1.5 ± 0.1 |\n| c | – |\n"
    assert aligned("a | b") == ""


def test_small_numbers_are_written_short() -> None:
    assert [p_value(p) for p in (0.00001, 0.0123, 1.0)] == ["< 0.0001", "0.012", "1"]
    assert [seconds(s) for s in (0.034, 12.34, 1234.5)] == ["0.03", "12.3", "1,234"]


def test_the_guide_names_the_command_of_what_it_takes(bench) -> None:
    trial = Trial(hyper_parameters={"l2": 300.0}, score=0.3, seconds=1.0)
    bench.add("ml-ro", "EASE (RecBole)", 0.36, family="recbole", noise=0.0)
    bench.add("ml-ro", "ease", 0.33, trials=[trial])
    guide = written(bench)["CHOOSING.md"]
    row = next(line for line in guide.splitlines() if "**ease**" in line)
    assert row.endswith("| `recsys train --model ease --set l2=300.0` |")
    assert "the best that can be served: `EASE (RecBole)` (0.3" in row
    assert "is run by its own library alone" in row


def test_the_guide_tells_what_the_models_it_compares_are_told(bench) -> None:
    add_some(bench)
    bench.add("ml-ro", "marec", 0.3)
    guide = written(bench)["CHOOSING.md"].split("## The models")[1]
    assert "| joint | ours |" in guide
    assert next(li for li in guide.splitlines() if "| marec |" in li).endswith("| content |")
    assert "item-knn" not in guide


def test_a_page_names_who_is_missing(bench) -> None:
    bench.add("ml-global-time", "ease", 0.3, split="global-time", seeds=(2020,))
    page = written(bench)["protocols/ml-global-time.md"]
    left_out = next(line for line in page.splitlines() if line.startswith("Left out here"))
    waiting = next(line for line in page.splitlines() if line.startswith("Not measured"))
    assert "`RecVAE (RecBole)`" in left_out
    assert "`joint`" in waiting
    assert "RecVAE" not in waiting


def test_who_has_fewer_runs_is_told_with_the_reason(bench) -> None:
    stars = {"task": "rating", "folds": FOLDS}
    bench.add("ml-u", "bias", 0.9, seeds=(2020,), **stars)
    bench.add("ml-u", "svd", 0.9, seeds=(2020, 2021), **stars)
    bench.add("ml-u", "svd++", 0.9, seeds=(2020,), **stars)
    page = written(bench)["protocols/ml-u.md"]
    assert "With fewer runs than others: `bias`. One run a test part is enough" in page
    assert "Not all of their planned runs were made yet: `svd++`." in page


def test_pages_have_one_empty_line_between_their_parts() -> None:
    assert tidied("\n\na  \n\n\n\nb\n\n") == "a\n\nb\n"
