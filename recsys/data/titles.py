"""What titles are compared by, and an index that finds movies by any of their names.

Legend: I movies, K keys, W distinct words, P words of movies, G pairs of bytes within words.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Self

import numpy as np
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


def _digests(keys: Iterable[str]) -> NDArray[np.uint64]:
    hashes = (hashlib.blake2b(key.encode(errors="replace"), digest_size=8).digest() for key in keys)
    return np.frombuffer(b"".join(hashes), dtype="<u8").astype(np.uint64)


_WIDTH = 32  # bytes of a word that count
_SHORTEST = 3  # letters of a word that others are compared with
_FREQUENT = 0.05  # share of the movies from which on a word tells little
_FUZZY_WORDS = 4  # of a query: the rarest ones
_SIMILAR_WORDS = 6  # of one word
_LEAST_SHARED = 0.3  # of the pairs of bytes of a word
_FREQUENT_PAIR = 0.12  # share of the words from which on a pair of bytes tells little
_TELLING_PAIRS = 5  # that do without the frequent ones
_COMPARED = 12  # movies whose whole names are compared with the query
_LEAST_SIMILAR = 0.6  # of two words
_LEAST_COVERED = 0.15  # of a query by the words of a suggestion


@dataclass(frozen=True, eq=False)
class TitleIndex:
    """Finds movies by their names: whole, by their words, and by words that resemble theirs.

    Attributes:
        titles: I titles without the year; "" where unknown.
        years: (I,) of release.
        key: (K,) uint64, sorted: hashes of what a movie is found by.
        key_row: (K,) int32 movie of each key.
        word: (W, 32) uint8, sorted: words in UTF-8, cut or filled up with zeros.
        word_start: (W + 1,) int32 where the movies of a word begin in ``word_row``.
        word_row: (P,) int32 movies, ascending within a word.
        pair: sorted uint16 pairs of neighbouring bytes, the ends of words included.
        pair_start: int32 where the words of a pair begin in ``pair_word``.
        pair_word: (G,) int32 words.
    """

    titles: Sequence[str]
    years: NDArray[np.int32]
    key: NDArray[np.uint64]
    key_row: NDArray[np.int32]
    word: NDArray[np.uint8]
    word_start: NDArray[np.int32]
    word_row: NDArray[np.int32]
    pair: NDArray[np.uint16]
    pair_start: NDArray[np.int32]
    pair_word: NDArray[np.int32]

    @classmethod
    def build(cls, titles: Sequence[str], years: NDArray[np.int32], shown: Sequence[str]) -> Self:
        """An index of I movies.

        Args:
            titles: without the year; "" where unknown.
            years: (I,) of release.
            shown: what the movies are displayed as, with the year.
        """
        return cls(titles, years, **_key_arrays(titles, shown), **_word_arrays(shown))

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], titles: Sequence[str], years: NDArray[np.int32]
    ) -> Self:
        """What ``to_arrays`` gave, for the same titles and years."""
        return cls(titles, years, **{name: arrays[name] for name in _ARRAYS})

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All of it but titles and years."""
        return {name: getattr(self, name) for name in _ARRAYS}

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
        digests = _digests(keys)
        starts, ends = (np.searchsorted(self.key, digests, side) for side in ("left", "right"))
        parts = [self.key_row[a:b] for a, b in zip(starts, ends, strict=True)]
        rows = np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int32)
        return [int(row) for row in rows if year is None or self.years[row] == year]

    def search(self, text: str, limit: int) -> list[int]:
        """The movies whose words begin with the words of ``text``, for a box that lists them.

        Names that begin with the text come first, then those with more of its words whole, then
        short ones. Where no movie has all the words, the suggestions.
        """
        words = _words(text)
        begun, whole = np.zeros((2, len(self.titles)), dtype=np.int16)
        for word in words:
            ends = [_cut(word), _cut(word).ljust(_WIDTH, b"\xff")]
            first, last = np.searchsorted(self._sorted, ends)
            begun[self.word_row[self.word_start[first] : self.word_start[last]]] += 1
            whole[self._movies(self._find(word))] += 1
        rows = np.flatnonzero(begun == len(words)) if words else np.empty(0, dtype=np.int64)
        if not len(rows):
            return self.suggest(text, limit)
        order = np.minimum(self._lengths[rows], 999) - 1000 * whole[rows].astype(np.int64)
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
        rows = _lowest(0.01 * np.minimum(self._lengths[rows], 50) - covered[rows], rows, _COMPARED)
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
        letters = b"\0" + _cut(word) + b"\0"
        codes = np.array(sorted({a << 8 | b for a, b in pairwise(letters)}), dtype=np.uint16)
        at = np.searchsorted(self.pair, codes)
        at = at[np.append(self.pair, 0).astype(np.uint16)[at] == codes]
        parts = [self.pair_word[self.pair_start[p] : self.pair_start[p + 1]] for p in at]
        telling = [part for part in parts if len(part) <= _FREQUENT_PAIR * len(self.word)]
        parts = telling if len(telling) >= _TELLING_PAIRS else parts
        shared = np.bincount(np.concatenate([*parts, self.pair_word[:0]]), minlength=len(self.word))
        near = np.flatnonzero(shared >= _LEAST_SHARED * len(codes))
        dice = shared[near] / (len(codes) + self._pairs_in_word[near])
        near = _lowest(-dice, near, 2 * _SIMILAR_WORDS)
        like = sorted(((_similarity(word, self._word(a)), a) for a in near.tolist()), reverse=True)
        # Less than a word that is the same, so that words come before letters.
        good = [(a, 0.7 * s**2) for s, a in like[:_SIMILAR_WORDS] if s >= _LEAST_SIMILAR]
        return good[::-1]

    def _find(self, word: str) -> int:
        """The position of a word; -1 where no movie has it."""
        at = int(np.searchsorted(self._sorted, _cut(word)))
        return at if at < len(self._sorted) and self._sorted[at] == _cut(word) else -1

    def _movies(self, word: int) -> NDArray[np.int32]:
        begin, end = self.word_start[word : word + 2] if word >= 0 else (0, 0)
        return self.word_row[begin:end]

    def _word(self, at: int) -> str:
        return bytes(self._sorted[at]).decode(errors="ignore")

    def _squeezed_names(self, row: int) -> list[str]:
        return [_squeezed(name) for name in _names(self.titles[row])]

    @cached_property
    def _sorted(self) -> NDArray[np.bytes_]:
        return np.ascontiguousarray(self.word).view(f"S{_WIDTH}").ravel()

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """(I,) words of each movie."""
        return np.bincount(self.word_row, minlength=len(self.titles))

    @cached_property
    def _pairs_in_word(self) -> NDArray[np.int64]:
        """(W,) distinct pairs of bytes in each word."""
        return np.bincount(self.pair_word, minlength=len(self.word))


_ARRAYS = tuple(field.name for field in fields(TitleIndex))[2:]


def _key_arrays(titles: Sequence[str], shown: Sequence[str]) -> dict[str, NDArray[Any]]:
    keys: list[str] = []
    counts = []
    for title, display in zip(titles, shown, strict=True):
        names = _names(title)
        own = _exact_keys(title) | _exact_keys(display) | _name_keys(names) | _rest_keys(names)
        keys.extend(own)
        counts.append(len(own))
    digests = _digests(keys)
    rows = np.repeat(np.arange(len(titles), dtype=np.int32), counts)
    order = np.lexsort((rows, digests))
    return {"key": digests[order], "key_row": rows[order]}


def _word_arrays(shown: Sequence[str]) -> dict[str, NDArray[Any]]:
    number: dict[bytes, int] = {}
    of_row = [[number.setdefault(_cut(w), len(number)) for w in _words(text)] for text in shown]
    word = np.array(list(number), dtype=f"S{_WIDTH}")
    order = np.argsort(word, kind="stable")
    position = np.argsort(order)
    held = position[np.array([n for numbers in of_row for n in numbers], dtype=np.int64)]
    row = np.repeat(np.arange(len(shown)), [len(numbers) for numbers in of_row])
    word_start, word_row = _grouped(held, row, len(word))
    in_word, codes = _byte_pairs(word[order])
    pair, group = np.unique(codes, return_inverse=True)
    pair_start, pair_word = _grouped(group, in_word, len(pair))
    return {
        "word": word[order].view(np.uint8).reshape(-1, _WIDTH),
        "word_start": word_start,
        "word_row": word_row,
        "pair": pair,
        "pair_start": pair_start,
        "pair_word": pair_word,
    }


def _grouped(
    group: NDArray[np.int64], member: NDArray[np.int64], n_groups: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where the members of each group begin, and the members, each once, ascending in a group."""
    size = int(member.max(initial=0)) + 1
    both = np.unique(group * size + member)
    start = np.searchsorted(both, size * np.arange(n_groups + 1))
    return start.astype(np.int32), (both % size).astype(np.int32)


def _byte_pairs(words: NDArray[np.bytes_]) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """The pairs of neighbouring bytes in words that are long enough: position of the word, pair."""
    letters = words.view(np.uint8).reshape(len(words), _WIDTH)
    is_first = (letters != 0) & (letters & 0xC0 != 0x80)  # of the bytes of one letter
    padded = np.pad(letters, ((0, 0), (1, 1))).astype(np.uint16)
    codes = (padded[:, :-1] << 8 | padded[:, 1:]).astype(np.uint16)
    codes[is_first.sum(axis=1) < _SHORTEST] = 0
    at, column = np.nonzero(codes)
    return at.astype(np.int64), codes[at, column]


def _cut(word: str) -> bytes:
    return word.encode(errors="replace")[:_WIDTH]


def _lowest(
    values: NDArray[np.floating[Any]], of: NDArray[np.int64], count: int
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
