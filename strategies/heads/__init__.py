"""The heads, in one explicit tuple: its order is the order of the vote columns."""

from ..base import Head

HEADS: tuple[type[Head], ...] = ()

HEADS_BY_NAME = {head.name: head for head in HEADS}
HEAD_NAMES = tuple(head.name for head in HEADS)
