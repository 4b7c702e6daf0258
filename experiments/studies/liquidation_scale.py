"""How heavy the nearest presumed liquidations are beside a day's volume, market by market.

``python -m experiments.studies.liquidation_scale --data FOLDER --out docs/liquidation-scale.md``
imports the files into a store that is thrown away and counts the risk of ``liquidation_map`` before any
coefficients are fitted, at the scale of the seed and at the present one.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from datasets import Store
from engine import Float1D
from indicators import INDICATORS_BY_NAME, build_features, feature
from indicators.liquidation_map import LIQUIDATION_MAP

from .analysers.liquidations import MAP
from .analysers.sources import configured, import_all, with_half_taken

CLOCK: Final = "bars+metrics+funding"
SEED_SHARE: Final = 1.0 / 300.0
"""50 M dollars, the seed's figure, over the 15 G dollars that bitcoin's perpetual trades in a day."""
SHARE: Final = LIQUIDATION_MAP.resolved({})["full_mass_share"]
WHOLE: Final = 1.0
"""Odds are cut at 0.95, far above any share of a day's volume that was met."""
TIERS: Final = ("minimal", "low", "moderate", "high", "extreme")
COMMAND: Final = (
    "python -m experiments.studies.liquidation_scale --data ../shared/data "
    "--out docs/liquidation-scale.md"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """One market on the bars where its map is known: mass of the nearer zone over a day's volume, and
    the shares of the tiers of risk at the seed's scale and at the present one.
    """

    symbol: str
    bars: int
    shares: Float1D
    seed: tuple[float, ...]
    present: tuple[float, ...]


def scales(data: Path) -> Iterator[Scale]:
    """Every perpetual of the files whose map becomes known."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch))
        import_all(store, data, list(MAP.files))
        keys = store.keys()
        symbols = sorted({key.symbol for key in keys if key.kind == "ohlcv"})
        for symbol in symbols:
            found = scale_of(store, symbol)
            if found is not None:
                yield found


def scale_of(store: Store, symbol: str) -> Scale | None:
    """One perpetual of a store that holds the files; None where its map is never known."""
    name = f"binance/um_perp/{symbol}"
    market = with_half_taken(configured(f"{name}/ohlcv_bars", name))(store)
    wanted = [
        feature("liquidation_map", output, clock=CLOCK, full_mass_share=share)
        for output, share in (("risk", SEED_SHARE), ("risk", SHARE), ("probability", WHOLE))
    ]
    matrix = build_features(market, wanted, indicators=INDICATORS_BY_NAME)
    if len(matrix.features) < len(wanted):
        return None
    seed, present, shares = matrix.values.T
    known = seed > 0
    if not known.any():
        return None

    def tiers(risk: Float1D) -> tuple[float, ...]:
        return tuple(float((risk[known] == tier).mean()) for tier in range(1, len(TIERS) + 1))

    return Scale(symbol, int(known.sum()), shares[known], tiers(seed), tiers(present))


def table(found: list[Scale]) -> str:
    """A row for each market, and one for all bars together."""
    head = ["market", "bars", "5 %", "median", "95 %", "extreme at 1/300", *TIERS]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    everything = Scale(
        "all",
        sum(one.bars for one in found),
        np.concatenate([one.shares for one in found]),
        _mean([one.seed for one in found], [one.bars for one in found]),
        _mean([one.present for one in found], [one.bars for one in found]),
    )
    for one in (*found, everything):
        low, middle, high = np.quantile(one.shares, [0.05, 0.5, 0.95])
        cells = [one.symbol, f"{one.bars:,}", *(f"{100 * x:.2f} %" for x in (low, middle, high))]
        cells += [f"{share:.1%}" for share in (one.seed[-1], *one.present)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(shares: list[tuple[float, ...]], bars: list[int]) -> tuple[float, ...]:
    return tuple(float(x) for x in np.average(np.array(shares), axis=0, weights=bars))


def page(found: list[Scale]) -> str:
    """The whole study as Markdown."""
    return f"""# The scale of the liquidation map

Before its coefficients are fitted, `liquidation_map` takes for the odds of a cascade the mass of the nearer
zone over `full_mass_share` of a day's volume, cut at 0.95 (SPEC H9.5, the seed's rule rescaled by volume).
Made by `{COMMAND}`.

The seed's figure, 50 M dollars, is a three-hundredth of what bitcoin's perpetual trades in a day (15 G
dollars). Other coins hold more open interest for their volume: at 1/300 risk is extreme on nearly every
hour, which says nothing (sixth column). The share is 1/{round(1 / SHARE)} instead: forced orders as large
as what the market trades in {round(24 * 60 * SHARE)} minutes, which price cannot pass without moving, count
as certain. It was chosen on this table, so that each tier occurs and the extreme one is rare. It is a
scale, not an estimate; coefficients that are fitted where there is a label take its place.

Mass of the nearer zone over the mean daily volume of 30 days (quantiles), and the tiers of risk:

{table(found)}

Four-hourly open interest of a month lies under it, so that levels older than that are missing; takers count
as half buyers (the bars do not state them). A market with heavy open interest and little volume (TRXUSDT)
is extreme throughout: its positions are large beside what it trades.
"""


def main() -> None:
    """Entry point of ``python -m experiments.studies.liquidation_scale``."""
    parser = argparse.ArgumentParser(description="Weigh liquidation zones beside volume.")
    parser.add_argument("--data", type=Path, required=True, help="folder of real market data")
    parser.add_argument("--out", type=Path, help="write the page to this file")
    arguments = parser.parse_args()
    text = page(list(scales(arguments.data)))
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
