"""Print the moments of the real files and of the simulated market side by side.

``python -m benchmarks.simulated_moments [--years 3] [--seeds 6]`` reads the real files from the
folder in ``NINEFOLD_REAL_DATA``, or ``../shared/data`` beside the repository. Without them it prints
the simulated columns alone: mean, smallest and largest value over the seeds. The tables in
``docs/simulated-market.md`` are its output.
"""

import argparse
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from datasets import SimulatedMarket, SimulationSpec, simulate
from datasets.simulation.moments import (
    correlation,
    daily_moments,
    funding_moments,
    hourly_moments,
    premium_moments,
)
from engine import HOUR_NS, Bars, Float1D

from .timing import timed

ROOT = Path(__file__).resolve().parent.parent
SPOT_FILE = "klines/binance_spot_klines12_1h.parquet"
BOTH_FILE = "klines/binance_spot_and_perp_1h_2019_2022.parquet"
DAILY_FILES = {
    "fear_greed": ("alt/fear_greed_daily.parquet", "fear_greed"),
    "implied_volatility": ("alt/deribit_dvol_btc_daily.parquet", "dvol"),
}
FUNDING_FILE = "derivatives/funding_8h_history.parquet"
PERIODS = {
    "BTCUSDT": ("2021-01-01", "2024-01-01"),
    "ETHUSDT": ("2021-01-01", "2024-01-01"),
    "SOLUSDT": ("2024-01-01", "2025-01-01"),
}
PREMIUM_PERIOD = ("2021-01-01", "2022-11-14")


def real_data_folder() -> Path | None:
    """The folder of real files, or None where there is none."""
    folder = Path(os.environ.get("NINEFOLD_REAL_DATA", ROOT.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


def bars_from_frame(frame: pd.DataFrame, symbol: str, period: tuple[str, str]) -> Bars:
    """Bars on the full hour grid; off-grid rows are left out, missing hours become gaps."""
    start, end = (pd.Timestamp(moment, tz="UTC") for moment in period)
    rows = frame[(frame.open_time >= start) & (frame.open_time < end)]
    rows = rows[rows.open_time == rows.open_time.dt.floor("h")].set_index("open_time")
    grid = pd.date_range(rows.index[0], rows.index[-1], freq="h")
    full = rows.drop(columns=["symbol", "close_time", "market"], errors="ignore").reindex(grid)
    gap = full["close"].isna().to_numpy()
    full["close"] = full["close"].ffill()
    for name in ("open", "high", "low"):
        full[name] = full[name].fillna(full["close"])
    full = full.fillna(0.0)
    columns = {
        name: full[source].to_numpy(dtype=np.float64)
        for name, source in (
            ("quote_volume", "quote_volume"),
            ("trades", "trades"),
            ("taker_buy_volume", "taker_buy_base"),
            ("taker_buy_quote", "taker_buy_quote"),
        )
        if source in full
    }
    return Bars(
        symbol=symbol,
        timeframe="1h",
        open_time=HOUR_NS * (int(grid[0].timestamp()) // 3600 + np.arange(len(grid))),
        open=full["open"].to_numpy(),
        high=full["high"].to_numpy(),
        low=full["low"].to_numpy(),
        close=full["close"].to_numpy(),
        volume=full["volume"].to_numpy(),
        is_gap=gap,
        **columns,
    )


def real_moments(folder: Path) -> dict[str, dict[str, float]]:
    """Every table of moments of the real files, by heading."""
    spot = pd.read_parquet(folder / SPOT_FILE)
    tables = {
        f"spot {symbol}": hourly_moments(
            bars_from_frame(spot[spot.symbol == symbol], symbol, period)
        )
        for symbol, period in PERIODS.items()
    }
    both = pd.read_parquet(folder / BOTH_FILE)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        rows = both[both.symbol == symbol]
        pair = [
            bars_from_frame(rows[rows.market == market], symbol, PREMIUM_PERIOD)
            for market in ("spot", "perp")
        ]
        tables[f"premium {symbol}"] = premium_moments(pair[0], pair[1])
    funding = pd.read_parquet(folder / FUNDING_FILE)
    rates = funding[
        (funding.symbol == "BTCUSDT")
        & (funding.venue == "binance_um")
        & (funding.funding_time >= pd.Timestamp("2021-01-01", tz="UTC"))
    ]
    tables["funding BTCUSDT"] = funding_moments(rates.funding_rate.to_numpy())
    for name, (file, column) in DAILY_FILES.items():
        values = pd.read_parquet(folder / file)[column].to_numpy(dtype=np.float64)
        tables[name] = daily_moments(values)
    closes = [
        bars_from_frame(spot[spot.symbol == symbol], symbol, PERIODS[symbol])
        for symbol in ("BTCUSDT", "ETHUSDT")
    ]
    tables["BTCUSDT and ETHUSDT"] = {"correlation of returns": _return_correlation(closes)}
    return tables


def simulated_moments(market: SimulatedMarket) -> dict[str, dict[str, float]]:
    """The same tables of the simulated market, under the headings of the real ones."""
    names = dict(zip(PERIODS, market.markets, strict=True))
    spot = {real: market.markets[name].bars for real, name in names.items()}
    tables = {f"spot {real}": hourly_moments(bars) for real, bars in spot.items()}
    for real in ("BTCUSDT", "ETHUSDT"):
        tables[f"premium {real}"] = premium_moments(spot[real], market.perp_bars[names[real]])
    rates = market.markets[names["BTCUSDT"]].series["funding"].columns["rate"]
    tables["funding BTCUSDT"] = funding_moments(rates)
    for name in DAILY_FILES:
        series = market.markets[names["BTCUSDT"]].series[name]
        tables[name] = daily_moments(next(iter(series.columns.values())))
    tables["BTCUSDT and ETHUSDT"] = {
        "correlation of returns": _return_correlation([spot["BTCUSDT"], spot["ETHUSDT"]])
    }
    return tables


def _return_correlation(bars: Sequence[Bars]) -> float:
    returns: list[Float1D] = [np.diff(np.log(one.close)) for one in bars]
    return correlation(returns[0], returns[1])


Tables = Mapping[str, Mapping[str, float]]


def printed(real: Tables | None, simulated: Sequence[Tables]) -> None:
    """Write the tables as Markdown: real, and mean and range of the simulated markets."""
    for heading, rows in simulated[0].items():
        print(
            f"\n### {heading}\n\n| moment | real | simulated | least | most |\n|---|---|---|---|---|"
        )
        for name in rows:
            values = [tables[heading][name] for tables in simulated]
            cells = [float(np.mean(values)), min(values), max(values)]
            shown = "" if real is None else f"{real[heading][name]:.3g}"
            print(f"| {name} | {shown} | {' | '.join(f'{cell:.3g}' for cell in cells)} |")


def figures() -> dict[str, float]:
    """Seconds for three symbols and a year, and, with the real files, simulated over real moments."""
    spec = SimulationSpec(days=365)
    found = {"three_symbols_one_year_s": timed(lambda: simulate(spec), runs=3).best_s}
    folder = real_data_folder()
    if folder is None:
        return found
    simulated = simulated_moments(simulate(SimulationSpec(days=3 * 365, seed=0)))
    real = real_moments(folder)
    heading = "spot BTCUSDT"
    for name, value in real[heading].items():
        if value:
            label = re.sub(r"[^a-z0-9]+", "_", name.lower())
            found[f"btc_{label}_over_real_times"] = simulated[heading][name] / value
    return found


def main() -> None:
    """Print both columns and the time that the simulation took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=6)
    arguments = parser.parse_args()
    folder = real_data_folder()
    if folder is None:
        print("no folder of real files: set NINEFOLD_REAL_DATA; simulated moments only")
    simulate(SimulationSpec(days=1))
    tables, seconds = [], []
    for seed in range(arguments.seeds):
        started = time.perf_counter()
        market = simulate(SimulationSpec(days=365 * arguments.years, seed=seed))
        seconds.append(time.perf_counter() - started)
        tables.append(simulated_moments(market))
    printed(None if folder is None else real_moments(folder), tables)
    print(
        f"\nsimulated {len(market.markets)} symbols x {arguments.years} years in "
        f"{min(seconds):.2f} s (best of {arguments.seeds} seeds, compiled before)"
    )


if __name__ == "__main__":
    main()
