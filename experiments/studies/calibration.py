"""Does the verdict keep its word? Null markets must give uniform p values, planted ones must be found.

    python -m experiments.studies.calibration --markets 200 --planted 25 --out docs/calibration.md

Sizes are fixed here, before anything was looked at, so that all of it ends within an hour on two
processes. Each market is simulated, swept and validated by the code that users run.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import binom, kstest

from datasets import Store

from ..sweeps.config import SweepConfig, sweep_config_of
from ..sweeps.run import run_sweep
from ..validation.validate import validate_sweep
from ..validation.verdict import EVIDENCE, INCONCLUSIVE, LEVEL

MARKETS: Final = 200
PLANTED_MARKETS: Final = 25
DAYS: Final = 365
SCREENED: Final = 64
SHIFTS: Final = 99
"""With 99 shifts the smallest p value is 0.01, and 0.05 is one of its values."""
PERMUTATIONS: Final = 19
EDGES_BPS: Final = (0.25, 0.5, 1.0, 2.0)
HORIZON_HOURS: Final = 24
COLUMN: Final = "taker_flow"
FIRST_SEED: Final = 10_000
BARS: Final = 10
"""Bars of the histogram of p values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One simulated market: its seed, and the drift planted in it (0 for none)."""

    seed: int
    edge_bps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What the validation of one market said."""

    seed: int
    edge_bps: float
    p_value: float
    word: str
    sharpe_annual: float
    pbo: float


def case_config(
    case: Case, *, days: int = DAYS, screened: int = SCREENED, shifts: int = SHIFTS
) -> SweepConfig:
    """A sweep of weights, quorum and thresholds on one market without funding payments.

    A null market has a carry, because shorts receive the baseline of funding: that would be an edge.
    """
    simulated: dict[str, Any] = {"mode": "null", "symbols": ["BTCSIM"], "days": days}
    if case.edge_bps:
        simulated |= {
            "mode": "planted",
            "planted_column": COLUMN,
            "planted_edge": case.edge_bps,
            "planted_horizon_hours": HORIZON_HOURS,
        }
    pair = {
        name: {"venue": "simulated", "market": market, "symbol": "BTCSIM"}
        for name, market in (("signals", "spot"), ("traded", "um_perp"))
    }
    series = [{"venue": "simulated", "market": "um_perp", "symbol": "BTCSIM"}]
    return sweep_config_of(
        {
            "name": "calibration",
            "seed": case.seed,
            "data": {"simulated": simulated, "instruments": [{**pair, "series_from": series}]},
            "costs": {"taker_fee_bps": 2.0, "slippage_bps": 1.0},
            "sweep": {
                "objectives": [{"metric": "sharpe"}],
                "constraints": [{"metric": "trades", "at_least": 20}],
                "space": {
                    "consensus.weights": {"kind": "weights"},
                    "consensus.quorum": {"kind": "whole", "low": 1, "high": 3},
                    "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.65},
                    "consensus.c_min": {"kind": "real", "low": 0.2, "high": 0.7},
                    "consensus.consensus_c_min": {"kind": "real", "low": 0.2, "high": 0.7},
                    "exits.stop_atr": {"kind": "real", "low": 2.0, "high": 8.0, "log": True},
                },
                "screen": {"trials": screened, "batch": screened},
                "search": {"trials": 0},
            },
            "validation": {
                "seed": case.seed,
                "trials": screened,
                "shifts": shifts,
                "permutations": 0,
            },
        }
    )


def case_result(
    case: Case, *, days: int = DAYS, screened: int = SCREENED, shifts: int = SHIFTS
) -> CaseResult:
    """Simulate, sweep and validate one market in a folder that is removed afterwards.

    Bars are permuted only where the verdict would be evidence without it: it can change no other.
    """
    config = case_config(case, days=days, screened=screened, shifts=shifts)
    with tempfile.TemporaryDirectory() as folder:
        store, runs = Store(Path(folder) / "data"), Path(folder) / "runs"
        ledger = run_sweep(config, store=store, runs=runs).ledger
        found = validate_sweep(ledger, store=store)
        if found.verdict.word == EVIDENCE:
            permuted = f"validation.permutations={PERMUTATIONS}"
            found = validate_sweep(ledger, store=store, overrides=[permuted])
    assert found.selection is not None
    return CaseResult(
        seed=case.seed,
        edge_bps=case.edge_bps,
        p_value=found.shifts.p_value,
        word=found.verdict.word,
        sharpe_annual=found.chosen.sharpe_annual,
        pbo=found.selection.overfitting.pbo,
    )


def cases(markets: int, planted: int) -> Iterator[Case]:
    """The null markets, then the planted ones by strength; seeds differ everywhere."""
    seed = FIRST_SEED
    for edge, count in ((0.0, markets), *((edge, planted) for edge in EDGES_BPS)):
        for _ in range(count):
            yield Case(seed=seed, edge_bps=edge)
            seed += 1


def page(results: Sequence[CaseResult], command: str) -> str:
    """The study as a page: uniformity, false positives, power."""
    null = [one for one in results if not one.edge_bps]
    p_values = np.array([one.p_value for one in null])
    rejected, low, high = int((p_values <= LEVEL).sum()), *band(len(null))
    claimed = sum(one.word == EVIDENCE for one in null)
    bar = np.ceil(np.round(p_values * BARS, 9)).astype(np.int64) - 1
    counts = np.bincount(bar, minlength=BARS)
    lines = "\n".join(
        f"| {at / BARS:.1f} to {(at + 1) / BARS:.1f} | {count} | {'█' * int(count)} |"
        for at, count in enumerate(counts.tolist())
    )
    power = "\n".join(_power_row(edge, results) for edge in EDGES_BPS)
    distance = kstest(p_values, "uniform")
    heads = ("bps an hour", "markets", f"p ≤ {LEVEL:g}", EVIDENCE, f"{EVIDENCE} or {INCONCLUSIVE}")
    return f"""# Calibration: does the verdict keep its word?

Made by `{command}`. Each market is one simulated year of hours of one symbol without funding
payments; {SCREENED} configurations of weights, quorum, thresholds and stop are screened, the best is
validated with {SHIFTS} shifts of the votes and {PERMUTATIONS} permutations of the bars. The sizes
were fixed beforehand.

## Where nothing predicts anything

{len(null)} markets. The primary p value is at or below {LEVEL:g} in {rejected} of them
({rejected / len(null):.1%}); a uniform one would be in {low} to {high} of them in 95 of 100 such studies.
Kolmogorov-Smirnov distance from uniform {distance.statistic:.3f}, p = {distance.pvalue:.2f} (the values
are discrete, which makes that p too large); their mean is {p_values.mean():.3f}, and one above 0.5
means that the test errs on the careful side. The verdict is "{EVIDENCE}" {claimed} times
({claimed / len(null):.1%}).

| p value | markets | |
|---|---|---|
{lines}

## Where something does

{COLUMN} announces a drift for {HORIZON_HOURS} hours, of so many basis points an hour for each of its
standard deviations. Shares of the markets; the last column is the median annual Sharpe ratio of the best.

| {" | ".join(heads)} | Sharpe ratio |
|---|---|---|---|---|---|
{power}
"""


def band(markets: int) -> tuple[int, int]:
    """How many of so many uniform p values lie at or below ``LEVEL`` in 95 of 100 studies."""
    low, high = binom.ppf([0.025, 0.975], markets, LEVEL)
    return int(low), int(high)


def _power_row(edge: float, results: Sequence[CaseResult]) -> str:
    own = [one for one in results if one.edge_bps == edge]
    if not own:
        return f"| {edge:g} | 0 | | | | |"
    found = np.mean([one.p_value <= LEVEL for one in own])
    claimed = np.mean([one.word == EVIDENCE for one in own])
    some = np.mean([one.word in (EVIDENCE, INCONCLUSIVE) for one in own])
    sharpe = np.median([one.sharpe_annual for one in own])
    return f"| {edge:g} | {len(own)} | {found:.0%} | {claimed:.0%} | {some:.0%} | {sharpe:.2f} |"


def main() -> None:
    """Entry point of ``python -m experiments.studies.calibration``."""
    parser = argparse.ArgumentParser(description="Validate sweeps of simulated markets.")
    parser.add_argument("--markets", type=int, default=MARKETS, help="null markets")
    parser.add_argument("--planted", type=int, default=PLANTED_MARKETS, help="markets of each edge")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument(
        "--results", type=Path, help="write each market's result there, as JSON lines"
    )
    parser.add_argument("--out", type=Path, help="write the page to this file")
    arguments = parser.parse_args()
    command = (
        f"python -m experiments.studies.calibration --markets {arguments.markets} "
        f"--planted {arguments.planted}"
    )
    results: list[CaseResult] = []
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        for result in pool.map(case_result, cases(arguments.markets, arguments.planted)):
            results.append(result)
            if arguments.results is not None:
                with arguments.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
    text = page(results, command)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
