"""Subject about forced closing: the liquidation map."""

from typing import Final

from indicators import feature
from strategies.analysers import Liquidation

from .reading import Subject
from .sources import configured, with_half_taken

_CLOCK: Final = "bars+metrics+funding"

MAP: Final = Subject(
    name="liquidation-map",
    title="Liquidation map of XRPUSDT at Binance",
    says=(
        "Open interest that is added is spread over leverages and laid where it would be liquidated; "
        "price is drawn to a heavy zone within 5 % at high risk, and turns once a zone is cleared."
    ),
    files=(
        "klines/binance_um_perp_ohlcv_1h_2025_2026.parquet",
        "derivatives/binance_um_open_interest_4h_2026.parquet",
        "derivatives/binance_um_funding_2026q1.parquet",
    ),
    market=with_half_taken(
        configured("binance/um_perp/XRPUSDT/ohlcv_bars", "binance/um_perp/XRPUSDT")
    ),
    analyser=Liquidation(),
    shown={
        name: feature("liquidation_map", name, clock=_CLOCK)
        for name in ("probability", "risk", "alert", "exhausted", "long_distance", "short_distance")
    },
    line="long_distance",
    known_by="risk",
    unit="percent of the close down to the zone of longs",
    levels=(5.0,),
    states={
        "risk": {1: "minimal", 2: "low", 3: "moderate", 4: "high", 5: "extreme"},
        "alert": {-1: "longs near", 1: "shorts near"},
        "exhausted": {1: "longs cleared", -1: "shorts cleared"},
    },
    stand_ins=(
        "No file has bars with taker columns and open interest of one time. Takers count as half buyers, "
        "half sellers, which splits new interest evenly between longs and shorts.",
    ),
    unknown=(
        "Whether it is right: the captured liquidation orders of the data are of minutes in June 2025, "
        "when no file has open interest finer than a day, and no known episode lies in these two weeks.",
        "Open interest within four hours: the file has one row in four hours, and what opens and closes "
        "between leaves no trace.",
        "Fitted odds: these are mass over a fiftieth of a day's volume, cut at 0.95, a scale and no "
        "estimate ([why](../liquidation-scale.md), with the tiers of 25 markets at it and at the seed's).",
    ),
)

SUBJECTS: Final = (MAP,)
