"""What titles are compared by, and an index that finds movies by any of their names.

Legend: I movies, W distinct words, G pairs of letters within words.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_ENGLISH_ARTICLES = frozenset({"the", "a", "an"})
_ARTICLES = (
    "the|an?|le|la|les|l'|un|une|der|die|das|den|ein|eine|el|los|las|una|il|lo|gli|i|de|het|"
    "det|en|ett|o|os|as|um|uma"
)
_TRAILING_ARTICLE = re.compile(rf"(?P<rest>.+),\s*(?P<article>{_ARTICLES})", re.IGNORECASE)
# At the beginning "I", "O", "As" and "Os" are rather English words.
_LEADING_ARTICLE = re.compile(
    r"(?:(?:the|an?|les?|la|un|une|der|die|das|den|ein|eine|el|los|las|una|il|lo|gli|de|het|det|en|"
    r"ett|uma?)\s+|l['’]\s*)(?P<rest>.+)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"(?P<before>.*\S)\s*\((?P<inside>[^()]+)\)")
_NO_WORD = re.compile(r"[\W_]+")
_ALSO_KNOWN = re.compile(r"^(a\.?k\.?a\.?)\s+", re.IGNORECASE)
_WITH_YEAR = re.compile(r"(?P<title>.*\S)\s*(?:\(\s*(?P<year>\d{4})\s*\)|\s(?P<bare>\d{4}))\s*")

# Letters that have no accent to take off, an ampersand, and apostrophes.
_APOSTROPHES = "'’‘"
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "&": " and "}
    | dict.fromkeys(_APOSTROPHES, "")
)
# Chinese, Japanese, Thai, Lao, Burmese and Khmer do not put spaces between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PIECES = re.compile(f"(?P<unspaced>[{_UNSPACED}\U00020000-\U0003ffff]+)|[^{_UNSPACED}]+")


def title_key(title: str) -> str:
    """A title reduced to what people agree on, in any script.

    Case, accents, punctuation and a trailing or leading article do not count:
    ``Usual Suspects, The (1995)`` equals ``the usual suspects (1995)``.
    """
    plain = _plain(title)
    return " ".join(w for w in plain.split() if w not in _ENGLISH_ARTICLES) or plain.strip()


def match_keys(title: str) -> tuple[str, frozenset[str]]:
    """The key of a title without what is in brackets at its end, and all keys it goes by."""
    names = _names(title)
    bare = names[0]
    if moved := _TRAILING_ARTICLE.fullmatch(bare):
        names.append(moved["rest"])
    return _match_key(bare), frozenset(filter(None, map(_match_key, names)))


def _match_key(name: str) -> str:
    return title_key(_article_first(name)).replace(" ", "")  # MouseHunt is Mouse Hunt


def _names(title: str) -> list[str]:
    """The title without the brackets at its end, the whole of it, and what is in the brackets."""
    bare, names = title.strip(), [title]
    while found := _BRACKETS.fullmatch(bare):
        bare = found["before"]
        names.append(_ALSO_KNOWN.sub("", found["inside"]))
    return list(dict.fromkeys((bare, *names)))


def _article_first(name: str) -> str:
    moved = _TRAILING_ARTICLE.fullmatch(name.strip())
    return f"{moved['article']} {moved['rest']}" if moved else name


def _without_article(name: str) -> str:
    name = name.strip()
    moved = _TRAILING_ARTICLE.fullmatch(name) or _LEADING_ARTICLE.fullmatch(name)
    return moved["rest"] if moved else name


def _plain(text: str) -> str:
    """Lower-case letters and digits without accents, and spaces; the text itself if it has none."""
    text = text.casefold().translate(_LETTERS)
    if text.isascii():
        spaced = _NO_WORD.sub(" ", text)
    else:
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if c.isascii() or not _is_accent(c))
        spaced = "".join(c if c.isalnum() or _is_vowel_sign(c) else " " for c in text)
    return text if spaced.isspace() else spaced


def _is_accent(character: str) -> bool:
    return bool(unicodedata.combining(character)) and not _is_vowel_sign(character)


def _is_vowel_sign(character: str) -> bool:
    """Whether it is a mark of a script of South or South-East Asia, where marks spell vowels."""
    return "\u0900" <= character <= "\u1cff" and unicodedata.category(character) in {"Mn", "Mc"}


def _words(text: str) -> list[str]:
    """The words of a title or a query, each once: ``d'Amélie`` is "damelie" and "amelie".

    Where words are not divided, every two neighbouring letters are one.
    """
    parts = _plain(text).split()
    if any(mark in text for mark in _APOSTROPHES):
        apart = _plain(re.sub(f"[{_APOSTROPHES}]", " ", text)).split()
        parts += [word for word in apart if len(word) > 2]
    return list(dict.fromkeys(piece for word in parts for piece in _pieces(word)))


def _pieces(word: str) -> Iterator[str]:
    if word.isascii():
        yield word
        return
    for found in _PIECES.finditer(word):
        piece = found[0]
        if found["unspaced"] and len(piece) > 1:
            yield from (piece[at : at + 2] for at in range(len(piece) - 1))
        else:
            yield piece


def _squeezed(name: str) -> str:
    return _plain(_article_first(name)).replace(" ", "")


def _exact_keys(text: str) -> set[str]:
    return {f"exact:{title_key(text)}"}


def _name_keys(names: Iterable[str]) -> set[str]:
    return {f"name:{key}" for name in names for key in _joined(name)}


def _rest_keys(names: Iterable[str]) -> set[str]:
    return {f"rest:{key}" for name in names for key in _joined(_without_article(name))}


@lru_cache(maxsize=64)  # nearly every name is its own rest
def _joined(name: str) -> frozenset[str]:
    """The words of a name without spaces, with and without English articles; none of no words."""
    words = _plain(_article_first(name)).split()
    without = "".join(word for word in words if word not in _ENGLISH_ARTICLES)
    return frozenset({"".join(words), without} - {""})


_LAST_LETTER = "\U0010ffff"
_SHORTEST = 3  # letters of a word that others are compared with
_FREQUENT = 0.05  # share of the movies from which on a word tells little
_FUZZY_WORDS = 4  # of a query: the rarest ones
_SIMILAR_WORDS = 6  # of one word
_LEAST_SHARED = 0.3  # of the pairs of letters of a word
_FREQUENT_PAIR = 0.12  # share of the words from which on a pair of letters tells little
_TELLING_PAIRS = 5  # that do without the frequent ones
_COMPARED = 12  # movies whose whole names are compared with the query
_LEAST_SIMILAR = 0.6  # of two words
_LEAST_COVERED = 0.15  # of a query by the words of a suggestion


class TitleIndex:
    """Finds movies by their names: whole, by their words, and by words that resemble theirs.

    Args:
        titles: I titles without the year; "" where unknown.
        years: (I,) of release.
        shown: what the movies are displayed as, with the year.
    """

    def __init__(
        self, titles: Sequence[str], years: NDArray[np.int32], shown: Sequence[str]
    ) -> None:
        self.titles, self.years = titles, years
        self.keys: dict[str, list[int]] = {}  # what movies are found by, to rows, ascending
        for row, (title, display) in enumerate(zip(titles, shown, strict=True)):
            names = _names(title)
            exact = _exact_keys(title) | _exact_keys(display)
            for key in exact | _name_keys(names) | _rest_keys(names):
                self.keys.setdefault(key, []).append(row)
        # W words and (W, I) which movies have which; G pairs of letters and (G, W) likewise.
        self.words, self.movies = _inverted([_words(text) for text in shown])
        pairs, self.pairs = _inverted([_pairs(word) for word in self.words])
        self.pair = {letters: row for row, letters in enumerate(pairs)}
        self.lengths = np.bincount(self.movies.indices, minlength=len(titles))
        self.pairs_in_word = np.bincount(self.pairs.indices, minlength=len(self.words))

    def rows(self, text: str) -> list[int]:
        """The movies of which ``text`` is a name, ascending.

        Titles as they are shown come first, then names in brackets and titles spelt with other
        spaces, then names without their article. A year, where there is one, must be the movie's.
        """
        dated = _WITH_YEAR.fullmatch(text)
        asked: list[tuple[str, int | None]] = [] if dated and dated["year"] else [(text, None)]
        if dated:
            asked.append((dated["title"], int(dated["year"] or dated["bare"])))
        found = self._keyed(_exact_keys(text), None)
        for keys in (_name_keys, _rest_keys):
            for name, year in asked:
                names = [name] if keys is _name_keys else _names(name)
                found = found or self._keyed(keys(names), year)
        return found

    def _keyed(self, keys: Iterable[str], year: int | None) -> list[int]:
        rows = sorted({row for key in keys for row in self.keys.get(key, ())})
        return [row for row in rows if year is None or self.years[row] == year]

    def search(self, text: str, limit: int) -> list[int]:
        """The movies whose words begin with the words of ``text``, for a box that lists them.

        Names that begin with the text come first, then those with more of its words whole, then
        short ones. Where no movie has all the words, the suggestions.
        """
        words = _words(text)
        begun, whole = np.zeros((2, len(self.titles)), dtype=np.int16)
        for word in words:
            first, last = (bisect_left(self.words, end) for end in (word, word + _LAST_LETTER))
            begun[_columns(self.movies, first, last)] += 1
            whole[self._movies(self._find(word))] += 1
        rows = np.flatnonzero(begun == len(words)) if words else np.empty(0, dtype=np.int64)
        if not len(rows):
            return self.suggest(text, limit)
        order = np.minimum(self.lengths[rows], 999) - 1000 * whole[rows].astype(np.int64)
        order = order * len(self.titles) + rows
        order = np.sort(_lowest(order, order, 4 * limit + _COMPARED))
        start = _squeezed(text)
        begins = {
            row: any(name.startswith(start) for name in self._squeezed_names(row))
            for row in (order % len(self.titles)).tolist()
        }
        return sorted(begins, key=lambda row: not begins[row])[:limit]

    def suggest(self, text: str, limit: int = 5) -> list[int]:
        """The movies with the words of ``text``, or with words like them, the closest first."""
        words = _words(text)
        if not words or not len(self.titles):
            return []
        covered = self._coverage(words)
        rows = np.flatnonzero(covered >= _LEAST_COVERED)
        rows = _lowest(0.01 * np.minimum(self.lengths[rows], 50) - covered[rows], rows, _COMPARED)
        asked = _squeezed(text)
        scores = {
            row: covered[row] + 0.5 * max(_similarity(asked, n) for n in self._squeezed_names(row))
            for row in rows.tolist()
        }
        return sorted(scores, key=lambda row: (-scores[row], row))[:limit]

    def _coverage(self, words: Sequence[str]) -> NDArray[np.float32]:
        """(I,) share of the query that each movie's words cover; rare words weigh more.

        Numbers and words of many movies count only beside another word.
        """
        at = {word: self._find(word) for word in words}
        count = {word: len(self._movies(at[word])) for word in words}
        weight = {word: np.log1p(len(self.titles) / max(count[word], 1)) for word in words}
        most = _FREQUENT * len(self.titles)
        strong = [w for w in words if not (w.isdigit() or count[w] > most)] or words
        rarest = sorted(strong, key=count.__getitem__)[:_FUZZY_WORDS]
        strongly, weakly = np.zeros((2, len(self.titles)), dtype=np.float32)
        for word in words:
            like = self._similar(word) if word in rarest else []
            total = strongly if word in strong else weakly
            total += self._spread([*like, (at[word], 1.0)], weight[word])
        weakly[strongly == 0] = 0
        covered: NDArray[np.float32] = (strongly + weakly) / np.float32(sum(weight.values()))
        if len(words) > 1 and not all(count.values()):  # MouseHunt, asked for as "mose hunt"
            np.maximum(covered, self._spread(self._similar("".join(words)), 1), out=covered)
        return covered

    def _spread(self, words: Iterable[tuple[int, float]], scale: float) -> NDArray[np.float32]:
        """(I,) of the words that a movie has, the weight of the last, times ``scale``."""
        weights = np.zeros(len(self.titles), dtype=np.float32)
        for at, weight in words:
            weights[self._movies(at)] = weight * scale
        return weights

    def _similar(self, word: str) -> list[tuple[int, float]]:
        """Words that look like one, the most similar last, and what each counts in its place."""
        if len(word) < _SHORTEST or word.isdigit():
            return []
        asked = _pairs(word)
        known = [self.pair[letters] for letters in asked if letters in self.pair]
        frequent = np.diff(self.pairs.indptr) > _FREQUENT_PAIR * len(self.words)
        telling = [row for row in known if not frequent[row]]
        rows = telling if len(telling) >= _TELLING_PAIRS else known
        shared = self.pairs[rows].sum(axis=0)
        near = np.flatnonzero(shared >= _LEAST_SHARED * len(asked))
        dice = shared[near] / (len(asked) + self.pairs_in_word[near])
        near = _lowest(-dice, near, 2 * _SIMILAR_WORDS)
        like = sorted(((_similarity(word, self.words[a]), a) for a in near.tolist()), reverse=True)
        # Less than a word that is the same, so that words come before letters.
        good = [(a, 0.7 * s**2) for s, a in like[:_SIMILAR_WORDS] if s >= _LEAST_SIMILAR]
        return good[::-1]

    def _find(self, word: str) -> int:
        """The position of a word; -1 where no movie has it."""
        at = bisect_left(self.words, word)
        return at if self.words[at : at + 1] == [word] else -1

    def _movies(self, word: int) -> NDArray[np.int32]:
        return _columns(self.movies, word, word + 1) if word >= 0 else np.empty(0, np.int32)

    def _squeezed_names(self, row: int) -> list[str]:
        return [_squeezed(name) for name in _names(self.titles[row])]


def _inverted(held: Sequence[Iterable[str]]) -> tuple[list[str], sp.csr_array]:
    """The distinct parts of M things, sorted, and (parts, M) which thing has which."""
    parts = sorted({part for each in held for part in each})
    number = {part: row for row, part in enumerate(parts)}
    entries = [(number[part], thing) for thing, each in enumerate(held) for part in each]
    row, column = np.array(entries, dtype=np.int32).reshape(-1, 2).T
    marks = np.ones(len(entries), dtype=np.int32)
    return parts, sp.csr_array((marks, (row, column)), shape=(len(parts), len(held)))


def _columns(matrix: sp.csr_array, first: int, last: int) -> NDArray[np.int32]:
    """The columns of the entries of some rows."""
    columns: NDArray[np.int32] = matrix.indices[matrix.indptr[first] : matrix.indptr[last]]
    return columns


def _pairs(word: str) -> set[str]:
    """The pairs of neighbouring letters of a word that is long enough, and its ends."""
    ends = f"\0{word}\0" if len(word) >= _SHORTEST else ""
    return {a + b for a, b in pairwise(ends)}


def _lowest(
    values: NDArray[np.number[Any]], of: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Those of ``of`` with the lowest values, in any order."""
    return of[np.argpartition(values, count)[:count]] if len(of) > count else of


def _similarity(a: str, b: str) -> float:
    """Twice the length of the longest common subsequence over both lengths.

    Bit-parallel: Hyyrö, Bit-parallel LCS-length computation revisited, 2004.
    """
    places, every = _places(a), (1 << len(a)) - 1
    unmatched = every
    for letter in b:
        here = unmatched & places.get(letter, 0)
        unmatched = (unmatched + here | unmatched - here) & every
    return 2 * (len(a) - unmatched.bit_count()) / max(len(a) + len(b), 1)


@lru_cache(maxsize=32)
def _places(text: str) -> dict[str, int]:
    """Bit n of a letter says whether it is the n-th of the text."""
    places: dict[str, int] = {}
    for at, letter in enumerate(text):
        places[letter] = places.get(letter, 0) | 1 << at
    return places
