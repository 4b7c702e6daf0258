"""Drawn markets: Wyckoff's textbook path, ranges with climaxes, harmonic patterns."""

import numpy as np

from engine import Float1D

PATTERN_X, PATTERN_XA = 100.0, 10.0
# b, c and D/XA of one clean example of each pattern.
EXAMPLES = {
    "gartley": (0.618, 0.618, 0.786),
    "bat": (0.5, 0.618, 0.886),
    "alternate_bat": (0.382, 0.886, 1.13),
    "butterfly": (0.786, 0.8, 1.27),
    "crab": (0.618, 0.75, 1.618),
    "deep_crab": (0.886, 0.7, 1.618),
    "abcd": (0.69, 0.618, None),
    "shark": (0.5, 1.2, 0.886),
    "deep_shark": (0.5, 1.4, 1.13),
    "cypher": (0.45, None, None),
    "five_zero": (1.3, 1.8, None),
}


class Schematic:
    """Bars drawn leg by leg: straight lines of closes with a steady spread, volume per bar."""

    def __init__(self, start: float = 200.0, reach: float = 0.5) -> None:
        self.reach = reach
        self.rows: list[tuple[float, float, float, float, float]] = []
        self.last = start

    def leg(self, target: float, bars: int, volume: float = 100.0) -> "Schematic":
        step = (target - self.last) / bars
        for _ in range(bars):
            self.bar(self.last + step, volume)
        return self

    def bar(
        self, close: float, volume: float, low: float | None = None, high: float | None = None
    ) -> "Schematic":
        open_ = self.last
        top = max(open_, close) + self.reach if high is None else high
        bottom = min(open_, close) - self.reach if low is None else low
        self.rows.append((open_, top, bottom, close, volume))
        self.last = close
        return self

    @property
    def row(self) -> int:
        """The row drawn last."""
        return len(self.rows) - 1

    def columns(self) -> dict[str, Float1D]:
        table = np.array(self.rows)
        names = ("open", "high", "low", "close", "volume")
        columns = {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(names)}
        return {**columns, "is_gap": np.zeros(len(table))}


def accumulation(test_close: float = 171.0) -> tuple[Schematic, dict[str, int]]:
    """The textbook path, and the row on which each event must be known."""
    known: dict[str, int] = {}
    path = Schematic()
    for _ in range(6):
        path.leg(202.0, 10).leg(200.0, 10)
    path.leg(185.0, 14).bar(184.0, 300.0, low=181.0).leg(188.0, 6).leg(180.0, 12)
    path.bar(172.0, 600.0, low=168.0)
    known["climax"] = known["preliminary"] = path.row
    path.leg(185.0, 10, 150.0)
    known["range_start"] = path.row + 3
    path.leg(172.0, 13, 90.0)
    known["secondary_test"] = path.row + 5
    path.leg(182.0, 10, 90.0).leg(172.5, 8, 80.0)
    path.bar(170.0, 130.0, low=166.8)
    known["spring"] = path.row
    known["spring_confirmed"] = path.row + 3
    path.leg(176.0, 8, 80.0).leg(test_close, 6, 60.0)
    known["test"] = path.row + 5
    path.leg(181.0, 10, 80.0).bar(187.0, 250.0, high=187.2)
    known["strength"] = known["jump"] = path.row
    path.leg(189.0, 3, 100.0).leg(186.0, 5, 60.0)
    known["support_point"] = known["backup"] = path.row + 5
    path.leg(189.0, 10, 80.0)
    known["markup"] = known["backup"] + 2
    path.leg(200.0, 20, 90.0)
    return path, known


def reaccumulation() -> tuple[Schematic, dict[str, int]]:
    """A rise that a buying climax stops, and behind it the textbook path of accumulation.

    Returns the path and the rows on which the climax's range and the events from the spring on are
    known. The box lies between the low of the reaction, 214.5, and the high of the climax, 232.
    """
    fall, of_fall = accumulation()
    path = Schematic()
    path.rows = [
        (400.0 - open_, 400.0 - low, 400.0 - high, 400.0 - close, volume)
        for open_, high, low, close, volume in fall.rows[: of_fall["range_start"] - 2]
    ]
    path.last = path.rows[-1][3]
    known = {"range_start": path.row + 3}
    path.leg(230.0, 12, 120.0).leg(218.5, 12, 90.0).leg(228.5, 10, 90.0).leg(219.0, 8, 80.0)
    path.bar(216.5, 130.0, low=213.3)
    known["spring"] = path.row
    known["spring_confirmed"] = path.row + 3
    path.leg(222.5, 8, 80.0).leg(217.5, 6, 60.0)
    known["test"] = path.row + 5
    path.leg(227.5, 10, 80.0).bar(233.5, 250.0, high=233.7)
    known["strength"] = known["jump"] = path.row
    path.leg(235.5, 3, 100.0).leg(232.5, 5, 60.0)
    known["support_point"] = known["backup"] = path.row + 5
    path.leg(235.5, 10, 80.0)
    known["markup"] = known["backup"] + 2
    path.leg(246.5, 20, 90.0)
    return path, known


def mirrored(columns: dict[str, Float1D], centre: float = 200.0) -> dict[str, Float1D]:
    """The same bars with every price reflected at ``centre``."""
    other = {"high": "low", "low": "high", "open": "open", "close": "close"}
    return {
        name: 2 * centre - columns[other[name]] if name in other else column
        for name, column in columns.items()
    }


def eventful_columns(seed: int, rows: int = 2500, gap_runs: int = 2) -> dict[str, Float1D]:
    """Random trends that end in a climax and a noisy range: rich in everything Wyckoff names."""
    generator = np.random.default_rng(seed)
    path = Schematic(300.0)
    while len(path.rows) < rows:
        side = generator.choice((-1.0, 1.0))
        if path.last < 200:
            side = 1.0
        elif path.last > 400:
            side = -1.0
        for _ in range(int(generator.integers(20, 60))):
            _noisy(path, path.last + side * generator.uniform(-0.3, 1.0), 100.0, generator)
        edge = path.last + side * generator.uniform(2.0, 5.0)
        _noisy(path, edge, generator.uniform(150, 500), generator, wick=generator.uniform(0, 4))
        height = generator.uniform(6.0, 14.0)
        for _ in range(int(generator.integers(4, 12))):
            for target in (edge - side * height, edge):
                goal = target + generator.normal() * 0.15 * height
                for _ in range(int(generator.integers(4, 14))):
                    drift = (goal - path.last) / 4
                    volume = 80.0 * np.exp(0.4 * generator.normal())
                    _noisy(path, path.last + drift, volume, generator)
        if generator.random() < 0.8:
            burst = path.last - side * generator.uniform(3.0, 8.0)
            _noisy(path, burst, generator.uniform(120, 400), generator, wick=0.1)
            _noisy(path, burst - side * 2, 90.0, generator)
        if generator.random() < 0.6:
            _noisy(path, edge - side * (height + 2.5), 300.0, generator, wick=0.1)
            for offset in (3.5, 4.0, 4.5, 3.5, 2.5, 1.5, 0.5, 1.5, 2.5, 3.0, 3.5, 4.0, 4.5):
                _noisy(path, edge - side * (height + offset), 60.0, generator)
    columns = {name: column[:rows].copy() for name, column in path.columns().items()}
    for _ in range(gap_runs):
        start, length = int(generator.integers(300, rows - 20)), int(generator.integers(1, 7))
        for t in range(start, start + length):
            for name in ("open", "high", "low", "close"):
                columns[name][t] = columns["close"][t - 1]
            columns["volume"][t], columns["is_gap"][t] = 0.0, 1.0
    return columns


def _noisy(
    path: Schematic, close: float, volume: float, generator: np.random.Generator, wick: float = 0.4
) -> None:
    close = close + 0.25 * generator.normal()
    up, down = wick * generator.random(2) + 0.05
    path.bar(close, volume, low=min(path.last, close) - down, high=max(path.last, close) + up)


def points(name: str, b: float | None = None, c: float | None = None) -> list[float]:
    """X, A, B, C, D of a bullish example, with b or c replaced."""
    own_b, own_c, d = EXAMPLES[name]
    b = own_b if b is None else b
    c = own_c if c is None else c
    if c is None:
        c = (1.33 - (1 - b)) / b
    a = PATTERN_X + PATTERN_XA
    point_b = a - b * PATTERN_XA
    point_c = point_b + c * b * PATTERN_XA
    if name == "abcd":
        point_d = point_c - b * PATTERN_XA
    elif name == "cypher":
        point_d = point_c - 0.786 * (point_c - PATTERN_X)
    elif name == "five_zero":
        point_d = (point_b + point_c) / 2
    else:
        point_d = a - d * PATTERN_XA
    return [PATTERN_X, a, point_b, point_c, point_d]


def drawn(
    path: list[float], legs: tuple[int, ...] = (14, 14, 14, 14), after: float = 6.0
) -> tuple[dict[str, Float1D], list[int]]:
    """Bars whose wicks are their bodies: a long fall to X, the legs, then a rise by ``after``.

    Returns the columns and the rows of the points.
    """
    closes = list(np.linspace(path[0] + 12.0, path[0], 121))
    rows = [len(closes) - 1]
    for start, end, bars in zip(path, path[1:], legs, strict=False):
        closes += list(np.linspace(start, end, bars + 1)[1:])
        rows.append(len(closes) - 1)
    closes += list(np.linspace(path[-1], path[-1] + after, 21)[1:])
    close = np.array(closes)
    open_ = np.concatenate((close[:1], close[:-1]))
    columns = {
        "high": np.maximum(open_, close),
        "low": np.minimum(open_, close),
        "close": close,
        "is_gap": np.zeros(len(close)),
    }
    return columns, rows
