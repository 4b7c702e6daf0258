"""The page of heads."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from strategies import HEADS, WEIGHTS, Head

from .markdown import bounds, paragraphs, table

HEAD = """# The nine heads

Each head answers on every bar: a direction, a probability and a confidence (scores, no frequencies:
[conventions.md](../conventions.md#what-a-probability-is)), a score from 0 to 100, how much of its
data it had, and its reasons. A parameter is the key `heads.<head>.<parameter>` of a configuration;
the range is what a search may use. *Expected* is the share of hourly bars on which a reason or a
vote was expected, written down before it was looked at.

{weights}
"""


def heads_page() -> str:
    """Every head: what it looks at, its parameters with ranges, its reasons."""
    weights = table(
        ("head", "weight", "votes on"),
        (
            (
                f"[{head.name}](#{head.name})",
                f"{WEIGHTS[head.name]:g}",
                f"{head.FIRING_RATE[0]:.1%} to {head.FIRING_RATE[1]:.1%} of bars",
            )
            for head in HEADS
        ),
    )
    return "\n".join([HEAD.format(weights=weights), *("\n".join(_lines(head)) for head in HEADS)])


def _lines(head: type[Head]) -> Iterator[str]:
    yield f"## {head.name}\n"
    yield f"{paragraphs(head.__doc__ or '')}\n"
    yield table(("parameter", "default", "searched"), map(_parameter(head), _parameters(head)))
    yield ""
    rows = (
        (
            f"`{reason.name}`",
            {1: "long", -1: "short", 0: "context"}[reason.direction],
            reason.text,
            f"{reason.firing_rate[0]:.2%} to {reason.firing_rate[1]:.2%}",
        )
        for reason in head.REASONS
    )
    yield table(("reason", "side", "what it says", "expected"), rows)
    yield ""


def _parameters(head: type[Head]) -> list[Field[Any]]:
    return [field for field in fields(head) if field.init]


def _parameter(head: type[Head]) -> Any:
    def row(field: Field[Any]) -> tuple[str, str, str]:
        factory = field.default_factory
        default = field.default if field.default is not MISSING else None
        if field.default is MISSING and factory is not MISSING:
            default = factory()
        limits = head.SPACE.get(field.name)
        searched = "" if limits is None else bounds(limits.low, limits.high)
        return f"`{field.name}`", f"`{_default(default)}`", searched

    return row


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(str(one) for one in value)}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
