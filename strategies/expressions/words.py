"""The words of an expression and where they stand; how an error points at one of them."""

import re
from dataclasses import dataclass
from typing import Final

SHOWN_CHARACTERS: Final = 90
"""Characters of an expression that an error shows around the word it points at."""

_SIGN: Final = re.compile(r"<=|>=|==|!=|[-+*/<>()=,.@]")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![A-Za-z0-9_.])")
_KINDS: Final = (("number", _NUMBER), ("word", _WORD), ("sign", _SIGN))


@dataclass(frozen=True, slots=True)
class Token:
    """A ``word``, a ``number``, a ``sign``, the ``end``, or what is none of these (``other``).

    It stands from character ``start`` to before ``end``.
    """

    kind: str
    text: str
    start: int
    end: int

    def told(self) -> str:
        """What stands there, for an error that expected something else."""
        return "the text ends" if self.kind == "end" else f"{self.text!r} stands there"


def token_at(text: str, at: int) -> Token:
    """The first token from character ``at`` on, spaces apart."""
    while at < len(text) and text[at] == " ":
        at += 1
    if at >= len(text):
        return Token("end", "", at, at)
    for kind, pattern in _KINDS:
        found = pattern.match(text, at)
        if found is not None:
            return Token(kind, found[0], at, found.end())
    return Token("other", text[at], at, at + 1)


def pointed(text: str, start: int, end: int) -> str:
    """Two lines: ``text``, or the part of it around character ``start``, and carets up to ``end``.

    Both begin with four spaces, by which an error is known to quote.
    """
    first = max(0, min(start - SHOWN_CHARACTERS // 3, len(text) - SHOWN_CHARACTERS))
    shown = text[first : first + SHOWN_CHARACTERS]
    before = "…" if first else ""
    after = "…" if first + SHOWN_CHARACTERS < len(text) else ""
    marked = len(text[start:end].rstrip())
    carets = "^" * max(1, min(marked, SHOWN_CHARACTERS - start + first))
    indent = " " * (len(before) + start - first)
    return f"    {before}{shown}{after}\n    {indent}{carets}"
