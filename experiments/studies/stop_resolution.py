"""What hourly bars say about stops, and what the minutes inside them say.

A grid of moving-average crossings with a stop and a target in per cent is replayed twice: on hourly
bars alone (the pessimistic rule for bars that touch both levels) and with the same hours resolved on
their minutes. ``python -m experiments.studies.stop_resolution --data FOLDER`` prints the tables and
writes the page; without a folder only the simulated market is studied.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from datasets import Instrument, SimulationSpec, Store, import_files, load_bars, simulate
from engine import (
    HOUR_NS,
    Bars,
    Costs,
    DecisionEvents,
    Decisions,
    Exits,
    Float1D,
    Funding,
    Panel,
    ReplayRules,
    Sizing,
    sweep_replay,
)

from ..config import midnight_ns

MINUTES: Final = 60
FEWEST_HOURS: Final = 20 * 24
CONFIGURATIONS: Final = 1000
SEED: Final = 7
COMMAND: Final = (
    "python -m experiments.studies.stop_resolution --data ../shared/data "
    "--out docs/stop-resolution.md"
)
WARM_UP_HOURS: Final = 120
REAL_FILES: Final = (
    "klines/binance_um_perp_klines12_1m.parquet",
    "raw/freqtrade_feather/BTC_USDT_USDT-1m-futures.feather",
    "raw/freqtrade_feather/ETH_USDT_USDT-1m-futures.feather",
    "raw/freqtrade_feather/SOL_USDT_USDT-1m-futures.feather",
)


@dataclass(frozen=True, slots=True)
class StopWidth:
    """Ranges from which stops and targets are drawn, as fractions of the entry price."""

    name: str
    stop: tuple[float, float]
    target: tuple[float, float]


WIDTHS: Final = (
    StopWidth("tight", (0.002, 0.006), (0.002, 0.008)),
    StopWidth("medium", (0.005, 0.02), (0.005, 0.03)),
    StopWidth("wide", (0.01, 0.05), (0.02, 0.08)),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Minutes of one symbol without a hole, whole hours, and the hours made of them."""

    name: str
    period: str
    minutes: Panel
    hours: Panel


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both answers for all configurations of one sample, width and cost; returns are fractions."""

    sample: str
    period: str
    width: str
    costs: str
    by_hours: Float1D
    by_minutes: Float1D
    trades: int
    ambiguous_exits: int
    ambiguous_minutes: int

    @property
    def rank_correlation(self) -> float:
        """Spearman's correlation of the two rankings of the configurations."""
        from scipy.stats import spearmanr

        return float(spearmanr(self.by_hours, self.by_minutes).statistic)

    @property
    def best_by_hours(self) -> tuple[float, float, int]:
        """Of the configuration that hours call the best: its two returns, its rank by minutes."""
        best = int(self.by_hours.argmax())
        rank = 1 + int((self.by_minutes > self.by_minutes[best]).sum())
        return float(self.by_hours[best]), float(self.by_minutes[best]), rank


def samples_of(name: str, bars: Bars) -> Iterator[Sample]:
    """Every stretch of ``bars`` (one minute) without a hole that is long enough, in whole hours."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], bars.is_gap, [True])).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        first = start + int(-(bars.open_time[start] // (HOUR_NS // MINUTES)) % MINUTES)
        count = (stop - first) // MINUTES
        if count < FEWEST_HOURS:
            continue
        rows = slice(first, first + count * MINUTES)
        minutes = _panel(name, "1m", bars.open_time[rows], bars, rows)
        split = {
            column: getattr(minutes, column).reshape(count, MINUTES)
            for column in ("open", "high", "low", "close")
        }
        hours = Panel(
            symbols=(name,),
            timeframe="1h",
            open_time=minutes.open_time[::MINUTES].copy(),
            open=split["open"][:, :1].copy(),
            high=split["high"].max(axis=1, keepdims=True),
            low=split["low"].min(axis=1, keepdims=True),
            close=split["close"][:, -1:].copy(),
            listed=np.ones((count, 1), dtype=np.bool_),
            is_gap=np.zeros((count, 1), dtype=np.bool_),
        )
        yield Sample(name, _period(hours), minutes, hours)


def _panel(name: str, timeframe: str, open_time: Any, bars: Bars, rows: slice) -> Panel:
    columns = {
        column: getattr(bars, column)[rows][:, None].copy()
        for column in ("open", "high", "low", "close")
    }
    shape = (len(open_time), 1)
    return Panel(
        symbols=(name,),
        timeframe=timeframe,
        open_time=open_time,
        listed=np.ones(shape, dtype=np.bool_),
        is_gap=np.zeros(shape, dtype=np.bool_),
        **columns,
    )


def _period(panel: Panel) -> str:
    first, last = (
        np.datetime64(int(panel.open_time[row]), "ns").astype("datetime64[D]") for row in (0, -1)
    )
    return f"{first} to {last}"


def crossings(close: Float1D, fast: int, slow: int) -> Decisions:
    """Long above, short below: the fast moving average against the slow one, acting on each cross."""
    sums = np.concatenate(([0.0], np.cumsum(close)))
    side = np.zeros(len(close))
    rows = np.arange(WARM_UP_HOURS, len(close))
    averages = [(sums[rows + 1] - sums[rows + 1 - length]) / length for length in (fast, slow)]
    side[rows] = np.where(averages[0] > averages[1], 1.0, -1.0)
    acts = np.diff(side, prepend=0.0) != 0
    return Decisions(
        target=side[:, None].copy(),
        acts=acts[:, None].copy(),
        atr_frac=np.full((len(close), 1), 0.01),
    )


def study(sample: Sample, width: StopWidth, costs: Costs, costs_name: str) -> Outcome:
    """Replay every configuration of ``width`` on ``sample``, by hours and by minutes."""
    generator = np.random.default_rng(SEED)
    draws = zip(
        generator.integers(3, 25, CONFIGURATIONS).tolist(),
        generator.integers(30, WARM_UP_HOURS, CONFIGURATIONS).tolist(),
        generator.uniform(*width.stop, CONFIGURATIONS).tolist(),
        generator.uniform(*width.target, CONFIGURATIONS).tolist(),
        strict=True,
    )
    decisions, rules = [], []
    for fast, slow, stop, target in draws:
        decisions.append(crossings(sample.hours.close[:, 0], fast, slow))
        rules.append(
            ReplayRules(
                costs=costs,
                sizing=Sizing(position_fraction=1.0),
                exits=Exits(stop_atr=None, stop_frac=stop, take_profit_frac=target),
            )
        )
    events = DecisionEvents.from_decisions(decisions)
    hourly, minute = (
        sweep_replay(sample.hours, events, Funding.none(), rules, fine=fine).totals
        for fine in (None, sample.minutes)
    )
    return Outcome(
        sample=sample.name,
        period=sample.period,
        width=width.name,
        costs=costs_name,
        by_hours=hourly["final_equity"] / rules[0].initial_cash - 1.0,
        by_minutes=minute["final_equity"] / rules[0].initial_cash - 1.0,
        trades=int(hourly["trades"].sum()),
        ambiguous_exits=int(hourly["ambiguous_exits"].sum()),
        ambiguous_minutes=int(minute["ambiguous_exits"].sum()),
    )


def real_samples(data: Path) -> Iterator[Sample]:
    """The one-minute files of the data folder, through the importers and a store that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        reports = import_files(store, [data / name for name in REAL_FILES], venue="binance")
        for key in dict.fromkeys(report.key for report in reports):
            instrument = Instrument(key.venue, key.market, key.symbol, key.source)
            yield from samples_of(key.symbol, load_bars(store, instrument, "1m", with_flows=False))


def simulated_samples(days: int) -> Iterator[Sample]:
    """One symbol of a simulated market in which nothing predicts anything."""
    spec = SimulationSpec(
        symbols=("BTCSIM",),
        days=days,
        seed=SEED,
        start_ns=midnight_ns(date(2021, 1, 1)),
        keep_minutes=True,
    )
    longest = max(
        samples_of("BTCSIM", simulate(spec).perp_minute_bars["BTCSIM"]),
        key=lambda one: len(one.hours),
    )
    yield longest


def outcomes(samples: Sequence[Sample]) -> list[Outcome]:
    """Every sample with every width, without costs and with the default ones."""
    none = Costs(taker_fee_bps=0.0, slippage_bps=0.0)
    return [
        study(sample, width, costs, name)
        for costs, name in ((none, "none"), (Costs(), "default"))
        for sample in samples
        for width in WIDTHS
    ]


def table(found: Sequence[Outcome], costs: str) -> str:
    """The outcomes under one cost as a Markdown table."""
    lines = [
        "| symbol | period | levels | mean by hours | mean by minutes | rank correlation "
        "| ambiguous of all exits, hours | minutes | best by hours: says | is | rank by minutes |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        if one.costs != costs:
            continue
        said, was, rank = one.best_by_hours
        lines.append(
            f"| {one.sample} | {one.period} | {one.width} | {one.by_hours.mean():+.1%} "
            f"| {one.by_minutes.mean():+.1%} | {one.rank_correlation:.2f} "
            f"| {one.ambiguous_exits / max(1, one.trades):.1%} "
            f"| {one.ambiguous_minutes / max(1, one.trades):.1%} "
            f"| {said:+.1%} | {was:+.1%} | {rank} of {len(one.by_minutes)} |"
        )
    return "\n".join(lines)


def page(found: Sequence[Outcome], command: str) -> str:
    """The whole study as Markdown."""
    widths = "; ".join(
        f"{width.name}: stop {width.stop[0]:.1%} to {width.stop[1]:.1%}, target {width.target[0]:.1%} to "
        f"{width.target[1]:.1%}"
        for width in WIDTHS
    )
    return f"""# Stops by hours and by minutes

What a back-test says about stops when it knows only hourly bars, and what the minutes inside those
hours say. Made by `{command}`.

{CONFIGURATIONS} configurations for each row: crossings of two moving averages of hourly closes (3 to 24
and 30 to 119 hours), the whole equity in each position, a stop and a target drawn from the range of
the row ({widths}).
Hours alone use the pessimistic rule: a bar that touches stop and target is booked as the stop.
Decisions, entries and prices are the same in both; only what happens inside an hour differs. Real
minutes: whole months of Binance perpetuals, and about a month of each freqtrade file; simulated
ones (BTCSIM): the longest stretch without a hole of a market in which nothing predicts anything.

## Without costs

{table(found, "none")}

## With the default costs (taker 5 bps, slippage 2 bps)

{table(found, "default")}

*Ambiguous* exits are those where a bar touches both levels. *Best by hours* is the configuration that
an optimiser would pick from hourly bars: what it was promised, what the minutes paid, and its rank
there.
"""


def main() -> None:
    """Entry point of ``python -m experiments.studies.stop_resolution``."""
    parser = argparse.ArgumentParser(description="Compare stops by hours and by minutes.")
    parser.add_argument("--data", type=Path, help="folder of real market data")
    parser.add_argument("--days", type=int, default=365, help="length of the simulated market")
    parser.add_argument("--out", type=Path, help="write the page to this file")
    arguments = parser.parse_args()
    samples = list(simulated_samples(arguments.days))
    if arguments.data is not None:
        samples += list(real_samples(arguments.data))
    text = page(outcomes(samples), COMMAND)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
