"""Subjects about leverage: premium, funding, dated futures, accounts, implied volatility."""

from datetime import date
from typing import Final

from indicators import feature
from strategies.analysers import Accounts, Derivatives

from .reading import Episode, Subject
from .sources import configured, with_accounts, with_perpetual_premium

_SPOT: Final = "binance/spot/BTCUSDT/klines12"
_SPOT_FILE: Final = "klines/binance_spot_klines12_1h.parquet"
_PREMIUM_BANDS: Final = {
    1: "below -0.3",
    2: "to -0.1",
    3: "to 0.2",
    4: "to 0.5",
    5: "above 0.5",
}

FUNDING: Final = Subject(
    name="funding",
    title="Funding of BTCUSDT at Binance",
    says=(
        "Funding for eight hours that is 0.03 % above its 0.01 % baseline is a crowd of longs that pays "
        "to stay, so the side is short; as far below it is long."
    ),
    files=(_SPOT_FILE, "derivatives/funding_8h_history.parquet"),
    market=configured(_SPOT, "binance/um_perp/BTCUSDT"),
    analyser=Derivatives(),
    shown={
        "f8": feature("funding_rate", "f8", clock="funding"),
        "band": feature("funding_rate", "band", clock="funding"),
    },
    line="f8",
    scale=100.0,
    unit="percent for 8 hours",
    levels=(-0.02, 0.04),
    states={"band": {1: "crowded short", 2: "between", 3: "crowded long"}},
    episodes=(
        Episode(
            "The crash of 12 March 2020: bitcoin lost half of its price within a day, shorts paid longs.",
            date(2020, 3, 12),
            date(2020, 3, 16),
            "f8",
            "lowest",
        ),
        Episode(
            "The rise of February 2021, before bitcoin's first fall from above 57,000 dollars.",
            date(2021, 2, 1),
            date(2021, 2, 28),
            "f8",
            "highest",
        ),
        Episode(
            "The days after FTX stopped withdrawals.",
            date(2022, 11, 8),
            date(2022, 11, 20),
            "f8",
            "lowest",
        ),
    ),
    unknown=(
        "The premium index, from which the rate of the running interval could be foreseen: the rate is "
        "known when it is settled, up to eight hours after the crowd formed.",
        "Other venues: the file has Binance and one symbol of Bybit; only Binance is read here.",
        "Anything before 2019-09-10 and after 2023-12-31; the last settlement is shown for a day.",
    ),
)

PREMIUM: Final = Subject(
    name="premium",
    title="Premium of the BTCUSDT perpetual",
    says=(
        "A perpetual that trades 0.2 % above its index is bid up by a crowd of longs, so the side is "
        "short; 0.1 % below it is long."
    ),
    files=("klines/binance_spot_and_perp_1h_2019_2022.parquet",),
    market=with_perpetual_premium,
    analyser=Derivatives(),
    shown={
        "percent": feature("premium", "percent", clock="premium_index"),
        "band": feature("premium", "band", clock="premium_index"),
    },
    line="percent",
    unit="percent",
    levels=(-0.3, -0.1, 0.2, 0.5),
    states={"band": _PREMIUM_BANDS},
    stand_ins=(
        "No file has the venue's premium index. The last trade of each hour on the perpetual over the last "
        "trade of the same hour on Binance spot stands in; the index averages several venues, and the "
        "published premium measures the depth of the book, so that single hours differ.",
    ),
    episodes=(
        Episode(
            "The crash of 12 and 13 March 2020.",
            date(2020, 3, 12),
            date(2020, 3, 13),
            "percent",
            "lowest",
        ),
        Episode(
            "The crash of 19 May 2021.", date(2021, 5, 19), date(2021, 5, 19), "percent", "lowest"
        ),
        Episode(
            "The rise of January and February 2021.",
            date(2021, 1, 1),
            date(2021, 2, 21),
            "percent",
            "highest",
        ),
    ),
    unknown=(
        "What happened inside an hour: both prices are the last trades of their market in the hour, which "
        "in a fast minute are seconds apart.",
        "The difference of USDT from the dollar has no part in it, both sides are in USDT.",
        "The side is that of the derivatives analyser without funding, which the file lacks.",
    ),
)

BASIS: Final = Subject(
    name="dated-basis",
    title="Basis of the nearest BTCUSDT future, a year's worth",
    says=(
        "A dated future above spot by more than 20 % a year is a crowd that pays for leverage, and one "
        "below spot by 0.1 % is stress: both are short; a normal contango is long."
    ),
    files=(_SPOT_FILE, "derivatives/binance_um_btc_quarterly_1d.parquet"),
    market=configured(
        _SPOT, timeframe="1d", dated_futures="binance/um_future/BTCUSDT", index=_SPOT
    ),
    analyser=Derivatives(use_basis=True),
    shown={
        "annual": feature("dated_basis", "annual", clock="dated_futures&index_price"),
        "percent": feature("dated_basis", "percent", clock="dated_futures&index_price"),
        "band": feature("dated_basis", "band", clock="dated_futures&index_price"),
    },
    line="annual",
    unit="percent a year",
    levels=(0.0, 20.0),
    states={"band": {1: "backwardation", 2: "flat", 3: "contango", 4: "above 20 % a year"}},
    stand_ins=(
        "The index is the spot close of the same minute (23:59:59 UTC) instead of the venue's index.",
        "Of several contracts the one is read that expires first and more than two days later.",
    ),
    episodes=(
        Episode(
            "The spring of 2021, when quarterly futures stood tens of percent a year above spot.",
            date(2021, 3, 1),
            date(2021, 5, 11),
            "annual",
            "highest",
        ),
        Episode(
            "The fall of the FTX exchange.",
            date(2022, 11, 8),
            date(2022, 11, 30),
            "annual",
            "lowest",
        ),
    ),
    unknown=(
        "Anything before 2021-02-03, when the first contract of the file begins.",
        "Between contracts the days to expiry jump. Three days before expiry a tenth of a percent between "
        "two last trades is twelve percent a year.",
        "Prices of days without a trade: the file goes on flat after an expiry, and the importer drops it.",
    ),
)

ACCOUNTS: Final = Subject(
    name="long-short-accounts",
    title="Long over short accounts of SOL at OKX",
    says=(
        "Accounts that are as long or as short as in the outer 5 % of their own 90 days are a crowd, and "
        "the side is against it; there is no side before 30 days are known."
    ),
    files=("derivatives/okx_sol_long_short_ratio_1h_vintages.parquet",),
    market=with_accounts,
    analyser=Accounts(),
    shown={
        "band": feature("long_short_extreme", "absolute_band", clock="metrics"),
        "relative_band": feature("long_short_extreme", "relative_band", clock="metrics"),
    },
    line="band",
    known_by="band",
    unit="band of the ratio, 1 extreme short to 5 extreme long",
    states={
        "band": {
            1: "below 0.33",
            2: "to 0.5",
            3: "to 2",
            4: "to 3",
            5: "above 3",
        },
        "relative_band": {0: "rank unknown", 1: "rank low", 2: "rank between", 3: "rank high"},
    },
    stand_ins=(
        "No file has bars of SOL in these weeks; the ratio stands on hours without a price.",
        "Each row counts as known an hour after its time. The file was captured first on 2026-06-15 at "
        "14:40 and states that as the time from which all earlier rows could be seen, so that a run on it "
        "would see the last hours only.",
    ),
    unknown=(
        "The rank, which the vote needs: the file has 15 days and a rank asks for 30.",
        "Whether a value was published within the hour, and whether it was revised before the capture.",
        "How OKX counts an account; ratios of other venues are not comparable in level.",
    ),
)

VOLATILITY: Final = Subject(
    name="volatility",
    title="Realised volatility of bitcoin, 30 days",
    says=(
        "Volatility has no side: the regime is where realised volatility of 30 days ranks in its own "
        "year, the spread is what options (DVOL) charge beyond it."
    ),
    files=(_SPOT_FILE, "alt/deribit_dvol_btc_daily.parquet"),
    market=configured(_SPOT, "deribit/index/BTC"),
    shown={
        "spread": feature("volatility_premium", "spread", clock="bars+implied_volatility"),
        "z": feature("volatility_premium", "z", clock="bars+implied_volatility"),
        "realised": feature("volatility_regime", "realised_30d"),
        "regime": feature("volatility_regime", "regime"),
        "expected": feature("volatility_premium", "expected", clock="bars+implied_volatility"),
        "implied": feature("implied_volatility", "percent", clock="implied_volatility"),
    },
    line="realised",
    unit="percent a year",
    states={
        "regime": {
            0: "rank unknown",
            1: "rank to 20",
            2: "to 40",
            3: "to 60",
            4: "to 80",
            5: "above 80",
        },
        "expected": {1: "implied above", 2: "realised above"},
    },
    episodes=(
        Episode(
            "The month after the crash of 12 March 2020 (realised).",
            date(2020, 3, 12),
            date(2020, 4, 15),
            "realised",
            "highest",
        ),
        Episode(
            "The fall of the FTX exchange (implied).",
            date(2022, 11, 8),
            date(2022, 11, 20),
            "implied",
            "highest",
        ),
        Episode(
            "The fall of the FTX exchange (implied less realised).",
            date(2022, 11, 8),
            date(2022, 11, 30),
            "spread",
            "lowest",
        ),
        Episode(
            "March 2023, when Silicon Valley Bank fails and bitcoin rises by a third within days (implied "
            "less realised).",
            date(2023, 3, 10),
            date(2023, 4, 10),
            "spread",
            "lowest",
        ),
    ),
    unknown=(
        "Implied volatility before 2022-11-06.",
        "Implied volatility of 2024, which the file has, for want of bars of bitcoin.",
        "How DVOL moved within a day: the file has one value a day, known when the day has ended.",
        "Skew and term: DVOL is one number of 30 days ahead.",
    ),
)

SUBJECTS: Final = (FUNDING, PREMIUM, BASIS, ACCOUNTS, VOLATILITY)
