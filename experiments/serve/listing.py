"""Which runs a list shows, in which order and how many at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from engine import ConfigError

from .summaries import RunSummary

PAGE_ROWS: Final = 50
KINDS: Final[Mapping[str, str]] = {
    "": "every kind",
    "consensus": "the heads' consensus",
    "targets": "targets of a file",
    "simulated": "simulated data",
    "real": "real data",
    "ruined": "ruined",
    "problem": "with a problem",
}
"""What may be asked for by ``kind``, and its words."""
COLUMNS: Final[Mapping[str, str]] = {
    "name": "name",
    "created": "created_at",
    "timeframe": "timeframe",
    "bars": "bars",
    "return": "total_return",
    "sharpe": "sharpe",
    "drawdown": "max_drawdown",
    "trades": "trades",
}
"""What a list is sorted by, and the field of the summary."""
_STEPS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class RunQuery:
    """What a list shows: filters, the column that sorts (``-`` before it: falling), the page from 1."""

    text: str = ""
    symbol: str = ""
    timeframe: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""
    sort: str = "-created"
    page: int = 1

    def link(self, **changed: Any) -> str:
        """The address of the list with some of it changed; the page is the first unless stated."""
        other = replace(self, **({"page": 1} | changed))
        plain = RunQuery()
        stated = {
            name: getattr(other, name)
            for name in self.__dataclass_fields__
            if getattr(other, name) != getattr(plain, name)
        }
        return f"/?{urlencode(stated)}" if stated else "/"

    def sorted_by(self, column: str) -> str:
        """The address of the list sorted by ``column``: the other way round where it is already."""
        return self.link(sort=f"-{column}" if self.sort == column else column)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, how many pages and runs there are, and how many before filtering."""

    rows: tuple[RunSummary, ...]
    number: int
    pages: int
    found: int
    of: int


def run_query(asked: Mapping[str, str]) -> RunQuery:
    """A query from the parameters of an address; ConfigError for a value that none may have.

    Other parameters are left alone, an empty one is as good as none.
    """
    stated: dict[str, Any] = {
        name: value.strip()
        for name in RunQuery.__dataclass_fields__
        if (value := asked.get(name, "")).strip()
    }
    page = stated.pop("page", "1")
    query = RunQuery(**stated)
    if query.kind not in KINDS:
        raise ConfigError(f"kind={query.kind!r} is none of {', '.join(filter(None, KINDS))}")
    if query.sort.removeprefix("-") not in COLUMNS:
        raise ConfigError(
            f"sort={query.sort!r} is none of {', '.join(COLUMNS)}, with or without a minus before it"
        )
    for name in ("since", "until"):
        value = getattr(query, name)
        try:
            is_day = not value or date.fromisoformat(value).isoformat() == value
        except ValueError:
            is_day = False
        if not is_day:
            raise ConfigError(f"{name}={value!r} is no day such as 2024-01-31")
    if not (page.isascii() and page.isdigit() and 1 <= int(page[:9]) < 10**8):
        raise ConfigError(f"page={page!r} must be a whole number from 1 on")
    return replace(query, page=int(page[:9]))


def page_of(runs: Sequence[RunSummary], query: RunQuery) -> Page:
    """The page of ``runs`` that ``query`` asks for, the last one where there are fewer."""
    found = [run for run in runs if _is_asked_for(run, query)]
    column = COLUMNS[query.sort.removeprefix("-")]
    is_falling = query.sort.startswith("-")
    known = [run for run in found if _key(run, column) is not None]
    unknown = [run for run in found if _key(run, column) is None]
    known.sort(key=lambda run: (_key(run, column), run.run_id), reverse=is_falling)
    rows = known + unknown
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    number = min(query.page, pages)
    first = (number - 1) * PAGE_ROWS
    return Page(tuple(rows[first : first + PAGE_ROWS]), number, pages, len(rows), len(runs))


def _is_asked_for(run: RunSummary, query: RunQuery) -> bool:
    if query.symbol and query.symbol.upper() not in (symbol.upper() for symbol in run.symbols):
        return False
    if query.timeframe and run.timeframe != query.timeframe:
        return False
    day = run.created_at[:10]
    if (query.since and day < query.since) or (query.until and (not day or day > query.until)):
        return False
    if query.kind and not _is_of_kind(run, query.kind):
        return False
    text = " ".join((run.run_id, run.name, run.problem, *run.symbols)).casefold()
    return all(word in text for word in query.text.casefold().split())


def _is_of_kind(run: RunSummary, kind: str) -> bool:
    match kind:
        case "problem":
            return bool(run.problem)
        case "simulated":
            return run.is_simulated
        case "real":
            return bool(run.name) and not run.is_simulated
        case "ruined":
            return run.is_ruined
        case "consensus":
            return run.decisions_from == "consensus"
        case _:
            return run.decisions_from not in ("", "consensus")


def _key(run: RunSummary, column: str) -> Any:
    """What ``run`` is sorted by; None (always last) where it is not known."""
    value = getattr(run, column)
    if column == "timeframe":
        return _seconds(value)
    return None if value in (None, "") else value.casefold() if isinstance(value, str) else value


def _seconds(timeframe: str) -> int | None:
    count, unit = timeframe[:-1], timeframe[-1:]
    if not (count.isascii() and count.isdigit()) or unit not in _STEPS:
        return None
    return int(count) * _STEPS[unit]
