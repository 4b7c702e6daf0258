"""What goes wrong between an exchange and its client, on command or by chance."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

TRANSPORT = (
    "status_429",
    "status_418",
    "status_500",
    "status_503",
    "drop_before",
    "drop_body",
    "truncated",
    "html",
    "empty_body",
    "slow",
)
"""Answers that cannot be used."""
CONTENT = ("empty_page", "short_page", "torn_page")
"""Answers that look fine and are wrong."""
HARMLESS = ("duplicates", "shuffled")
"""Answers that are right and untidy."""
EVERY = (*TRANSPORT, *CONTENT, *HARMLESS)


@dataclass(slots=True)
class Faults:
    """Which fault the next answer to a request of some kind has.

    Each of ``names`` comes with probability ``share``. Wrong content never comes twice in a row for
    one address and symbol, unusable answers at most ``in_a_row`` times: an exchange that never answers
    is another matter. For an address without a symbol, such as a list of markets that takes several
    requests, all of which must succeed, these are the most there are at all.
    """

    names: Sequence[str] = ()
    share: float = 0.0
    seed: int = 0
    in_a_row: int = 3
    seen: dict[str, int] = field(default_factory=dict)
    _random: random.Random = field(init=False)
    _run: dict[str, int] = field(default_factory=dict)
    _scripted: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def script(self, address: str, names: Sequence[str]) -> None:
        """The next answers of ``address`` have these faults, one after the other ("" is none)."""
        self._scripted.setdefault(address, []).extend(names)

    def next(self, address: str, symbol: str) -> str:
        """The fault of this answer, "" for none."""
        scripted = self._scripted.get(address)
        if scripted:
            name = scripted.pop(0)
        else:
            name = self._by_chance(f"{address} {symbol}", forgets=bool(symbol))
        if name:
            self.seen[name] = self.seen.get(name, 0) + 1
        return name

    def _by_chance(self, place: str, *, forgets: bool) -> str:
        if not self.names or self._random.random() >= self.share:
            if forgets:
                self._run[place] = 0
            return ""
        name = self._random.choice(list(self.names))
        limit = 1 if name in CONTENT else self.in_a_row
        if name not in HARMLESS:
            if self._run.get(place, 0) >= limit:
                if forgets:
                    self._run[place] = 0
                return ""
            self._run[place] = self._run.get(place, 0) + 1
        return name
