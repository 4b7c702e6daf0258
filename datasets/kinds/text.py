"""The table of kinds in words, for the documentation and the terminal."""

import sys
from collections.abc import Iterator

from engine import DAY_NS, HOUR_NS, MINUTE_NS

from . import KINDS
from .kind import Column, Kind


def duration_text(length_ns: int) -> str:
    """``36 h``, ``5 min`` or ``45 days``: the largest unit that divides the length."""
    if length_ns > 2 * DAY_NS and length_ns % DAY_NS == 0:
        return f"{length_ns // DAY_NS} days"
    for unit_ns, name in ((HOUR_NS, "h"), (MINUTE_NS, "min")):
        if length_ns % unit_ns == 0:
            return f"{length_ns // unit_ns} {name}"
    return f"{length_ns / 1e9:g} s"


def availability_text(kind: Kind) -> str:
    """When a row may be used if its source states no moment: ``open_time + step``, and so on."""
    text = kind.time_column + (" + step" if kind.lag_steps else "")
    if kind.lag_ns:
        text += f" + {duration_text(kind.lag_ns)}"
    if kind.publication == "next_weekday":
        text += ", then 00:00 of the next weekday"
    return text


def column_text(column: Column) -> str:
    """``volume`` or, where a row may lack it, ``[quote_volume]``."""
    return column.name if column.required else f"[{column.name}]"


def kinds_markdown() -> str:
    """The table of kinds, and below it every column with its unit, as Markdown."""
    return "\n".join((*_overview(), "", *_columns())) + "\n"


def _overview() -> Iterator[str]:
    yield "| kind | rows | native step | told apart by | usable from | why | shown until |"
    yield "|---|---|---|---|---|---|---|"
    for kind in KINDS.values():
        identity = ", ".join(f"`{name}`" for name in kind.identity)
        yield (
            f"| `{kind.name}` | {kind.title} | {kind.native_step} | {identity} | "
            f"{availability_text(kind)} | {kind.lag_source} | {duration_text(kind.max_age_ns)} |"
        )


def _columns() -> Iterator[str]:
    yield "| kind | column | type | unit or meaning |"
    yield "|---|---|---|---|"
    for kind in KINDS.values():
        for column in kind.columns:
            words = f" ({', '.join(column.words)})" if column.words else ""
            yield (
                f"| `{kind.name}` | `{column_text(column)}` | {column.type} | {column.unit}{words} |"
            )


def main() -> None:
    """Print the table, for the documentation."""
    sys.stdout.write(kinds_markdown())


if __name__ == "__main__":
    main()
