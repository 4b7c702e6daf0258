"""Docstrings and tables as Markdown."""

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Final

_ROLE: Final = re.compile(r":(?:func|class|mod|meth|attr):`~?([^`]+)`")
_LITERAL: Final = re.compile(r"``([^`]+)``")


def plain(text: str) -> str:
    """A docstring's text in Markdown: its roles and double backticks become single ones."""
    return _LITERAL.sub(r"`\1`", _ROLE.sub(r"`\1`", inspect.cleandoc(text)))


def paragraphs(text: str) -> str:
    """A docstring as Markdown paragraphs, a line for each."""
    parts = plain(text).split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars and line ends inside of cells are escaped."""
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def bounds(low: float | None, high: float | None) -> str:
    """``0 to 1``, ``from 0``, ``up to 1`` or nothing."""
    if low is not None and high is not None:
        return f"{number(low)} to {number(high)}"
    if low is not None:
        return f"from {number(low)}"
    return "" if high is None else f"up to {number(high)}"
