"""What a film's title is compared by."""

from __future__ import annotations

import re

from recsys.data.catalogue import title_key

_ARTICLES = (
    "the|an?|le|la|les|l'|un|une|der|die|das|den|ein|eine|el|los|las|una|il|lo|gli|i|de|het|"
    "det|en|ett|o|os|as|um|uma"
)
_TRAILING_ARTICLE = re.compile(rf"(?P<rest>.+),\s*(?P<article>{_ARTICLES})", re.IGNORECASE)
_BRACKETS = re.compile(r"(?P<before>.*\S)\s*\((?P<inside>[^()]+)\)")
_ALSO_KNOWN = re.compile(r"^(a\.?k\.?a\.?)\s+", re.IGNORECASE)


def match_keys(title: str) -> tuple[str, frozenset[str]]:
    """The key of a title without what is in brackets at its end, and all keys it goes by."""
    bare, names = title.strip(), [title]
    while found := _BRACKETS.fullmatch(bare):
        bare = found["before"]
        names.append(_ALSO_KNOWN.sub("", found["inside"]))
    if moved := _TRAILING_ARTICLE.fullmatch(bare):
        names.append(moved["rest"])
    keys = (_key(name) for name in (bare, *names))
    return _key(bare), frozenset(key for key in keys if key)


def _key(title: str) -> str:
    moved = _TRAILING_ARTICLE.fullmatch(title.strip())
    whole = f"{moved['article']} {moved['rest']}" if moved else title
    return title_key(whole).replace(" ", "")  # MouseHunt is Mouse Hunt, and Alien³ is Alien 3
