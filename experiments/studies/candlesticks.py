"""How often each candlestick pattern occurs, as TA-Lib has it and with relaxed gaps.

``python -m experiments.studies.candlesticks --data FOLDER`` counts on random bars and on real ones and
writes the page; without a folder only the random bars are counted.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from datasets import Instrument, Store, import_files, load_bars
from engine import Bars, Bool1D, Float1D
from indicators import INDICATORS_BY_NAME
from indicators.candlestick import INDECISION, PATTERNS

ROWS: Final = 60_000
STEPS: Final = 30
SEED: Final = 11
COMMAND: Final = (
    "python -m experiments.studies.candlesticks --data ../shared/data --out docs/candlesticks.md"
)


@dataclass(frozen=True, slots=True)
class RealFile:
    """Bars of a data folder that are counted together."""

    name: str
    path: str
    timeframe: str
    symbols: tuple[str, ...] = ()


REAL_FILES: Final = (
    RealFile("BTCUSDT spot 1h", "klines/binance_spot_klines12_1h.parquet", "1h", ("BTCUSDT",)),
    RealFile("ETHUSDT spot 1h", "klines/binance_spot_klines12_1h.parquet", "1h", ("ETHUSDT",)),
    RealFile("28 perpetuals 4h", "klines/binance_um_perp_ohlcv_4h.parquet", "4h"),
    RealFile("4 perpetuals 1m", "klines/binance_um_perp_klines12_1m.parquet", "1m"),
)


@dataclass(frozen=True, slots=True)
class Count:
    """Bars of one market or several, how many open at the close before, and what was found on them.

    ``strict`` and ``relaxed`` count the bars on which a pattern ends; ``any_pattern`` those on which
    one of TA-Lib's does.
    """

    name: str
    bars: int
    gapless: int
    any_pattern: int
    strict: Mapping[str, int]
    relaxed: Mapping[str, int]

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.name,
            self.bars + other.bars,
            self.gapless + other.gapless,
            self.any_pattern + other.any_pattern,
            {name: self.strict[name] + other.strict[name] for name in self.strict},
            {name: self.relaxed[name] + other.relaxed[name] for name in self.relaxed},
        )


def random_candles(tick: float) -> dict[str, Float1D]:
    """A walk of ``ROWS`` bars that open at the close before, or up to one ``tick`` beside it.

    Each bar is made of thirty normal steps; the size of the steps changes every fifty bars.
    """
    draw = np.random.default_rng(SEED)
    pace = np.exp(np.repeat(draw.normal(0.0, 0.5, ROWS // 50), 50))
    inside = np.cumsum(draw.normal(0.0, 0.05, (ROWS, STEPS)) * pace[:, None], axis=1)
    start = 1000.0 + np.concatenate(([0.0], np.cumsum(inside[:, -1])[:-1]))
    close = start + inside[:, -1]
    open_ = np.concatenate((start[:1], close[:-1])) + tick * draw.integers(-1, 2, ROWS)
    return {
        "open": open_,
        "high": np.maximum(np.maximum(open_, close), start + inside.max(axis=1)),
        "low": np.minimum(np.minimum(open_, close), start + inside.min(axis=1)),
        "close": close,
    }


def counted(name: str, columns: Mapping[str, Float1D], exists: Bool1D) -> Count:
    """Every pattern counted on the rows of ``columns``, each ``(T,)``, on which a bar ``exists``."""
    found: dict[str, dict[str, Float1D]] = {}
    for indicator_name in ("candlestick", "candlestick_relaxed"):
        indicator = INDICATORS_BY_NAME[indicator_name]
        outputs = indicator.compute(columns, indicator.resolved({}))
        found[indicator_name] = {
            output.name: column[exists]
            for output, column in zip(indicator.outputs, outputs, strict=True)
        }
    strict, relaxed = found["candlestick"], found["candlestick_relaxed"]
    opens_there = columns["open"][1:] == columns["close"][:-1]
    return Count(
        name=name,
        bars=int(exists.sum()),
        gapless=int((opens_there & exists[1:]).sum()),
        any_pattern=int(np.any([strict[one] != 0 for one in PATTERNS], axis=0).sum()),
        strict={one: int((strict[one] != 0).sum()) for one in PATTERNS},
        relaxed={one: int((relaxed[one] != 0).sum()) for one in PATTERNS if one in relaxed},
    )


def random_counts() -> list[Count]:
    """Random bars without any gap, and with opens one tick of 0.01 around the close before."""
    everywhere = np.ones(ROWS, dtype=np.bool_)
    return [
        counted("random, no gap", random_candles(0.0), everywhere),
        counted("random, ±1 tick", random_candles(0.01), everywhere),
    ]


def _bars_of(data: Path, wanted: RealFile) -> Iterator[Bars]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for report in import_files(store, [data / wanted.path], venue="binance"):
            key = report.key
            if not wanted.symbols or key.symbol in wanted.symbols:
                instrument = Instrument(key.venue, key.market, key.symbol, key.source)
                yield load_bars(store, instrument, wanted.timeframe, with_flows=False)


def real_counts(data: Path) -> list[Count]:
    """The files of ``REAL_FILES``, through the importers and a store that is thrown away."""
    counts = []
    for wanted in REAL_FILES:
        parts = [
            counted(wanted.name, bars.columns(), ~bars.is_gap) for bars in _bars_of(data, wanted)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        counts.append(total)
    return counts


def table(counts: Sequence[Count]) -> str:
    """A Markdown table: a pattern a line, a market a column, TA-Lib's count and the relaxed one."""
    lines = [
        "| pattern | " + " | ".join(one.name for one in counts) + " |",
        "|---|" + "---|" * len(counts),
        "| bars | " + " | ".join(f"{one.bars:,}" for one in counts) + " |",
        "| open at the close before | "
        + " | ".join(f"{one.gapless / one.bars:.1%}" for one in counts)
        + " |",
        "| with any of the 61 | "
        + " | ".join(f"{one.any_pattern / one.bars:.1%}" for one in counts)
        + " |",
    ]
    for name in PATTERNS:
        shown = f"{name} (no side)" if name in INDECISION else name
        cells = [
            f"{one.strict[name]:,}" + (f" → {one.relaxed[name]:,}" if name in one.relaxed else "")
            for one in counts
        ]
        lines.append(f"| {shown} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(counts: Sequence[Count], command: str) -> str:
    """The whole study as Markdown."""
    silent = sorted(name for name, count in counts[0].strict.items() if count == 0)
    return f"""# Candlestick patterns: how many of the 61 say anything here

How often TA-Lib's patterns occur (indicator `candlestick`), and the same with relaxed gaps
(`candlestick_relaxed`, after the arrow). Made by `{command}`.

A coin trades without a pause: a bar opens where the last one closed, give or take a tick.
{len(silent)} of the 61 patterns want an open, a body or a candle away from the one before. They cannot
occur where every bar opens at the close before (first column), and mostly hang on the accident of a
tick where it nearly does. What is left is some 25 patterns, and most bars carry one: nothing should vote
on "any pattern".

**What is relaxed.** Wherever TA-Lib wants an open, a body or a candle strictly beyond a level, it may fall
short of it by less than 0.25 ATR(14), the ATR known at the close of the candle before (`overlap_atr`,
0 to 1; at 0 the patterns are TA-Lib's). Colours, lengths, shadows, and closes that show how far a move
went are not touched. Every condition becomes weaker and none is dropped, so a relaxed pattern is found
wherever TA-Lib's is. (To ask for a body 0.25 ATR *beyond* the one before would be stricter than TA-Lib's
gap.) `kicking` and `kickingbylength` also count when the second candle ends 0.25 ATR beyond the far end
of the first; `tristar` and `gapsidesidewhite` take their side from the middles of the bodies;
`counterattack`, two long opposite candles with one close, has no gapless form and stays TA-Lib's.

**Sides.** The sign is TA-Lib's, except for those marked *no side*, whose sign is the candle's colour or
always plus: they are 0 or 1 and count as indecision. `hammer`, `invertedhammer`, `hangingman` and
`shootingstar` count after a trend only (close and slope of the mean of ten closes).

{table(counts)}

Bars that the exchange does not have are not counted.
"""


def main() -> None:
    """Entry point of ``python -m experiments.studies.candlesticks``."""
    parser = argparse.ArgumentParser(description="Count candlestick patterns.")
    parser.add_argument("--data", type=Path, help="folder of real market data")
    parser.add_argument("--out", type=Path, help="write the page to this file")
    arguments = parser.parse_args()
    counts = random_counts()
    if arguments.data is not None:
        counts += real_counts(arguments.data)
    text = page(counts, COMMAND)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
