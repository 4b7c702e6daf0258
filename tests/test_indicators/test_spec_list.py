"""The 84 indicators of SPEC H1.1: each id is an output of a listed indicator, at the stated lengths."""

import numpy as np
import pytest

from experiments.checks.markets import null_market
from experiments.checks.subjects import native_clock
from indicators import INDICATORS_BY_NAME, clock_of

Entry = tuple[str, str, dict[str, float]]

TREND: dict[str, Entry] = {
    "sma": ("sma", "sma", {"length": 20}),
    "ema": ("ema", "ema", {"length": 20}),
    "wma": ("wma", "wma", {"length": 20}),
    "dema": ("dema", "dema", {"length": 20}),
    "tema": ("tema", "tema", {"length": 20}),
    "trima": ("trima", "trima", {"length": 20}),
    "kama": ("kama", "kama", {"length": 10}),
    "hma": ("hma", "hma", {"length": 20}),
    "zlema": ("zlema", "zlema", {"length": 20}),
    "t3": ("t3", "t3", {"length": 5, "volume_factor": 0.7}),
    "vwma": ("vwma", "vwma", {"length": 20}),
    "rma": ("rma", "rma", {"length": 14}),
    "mama, fama": ("mama", "mama fama", {"fast_limit": 0.5, "slow_limit": 0.05}),
    "linreg": ("linreg", "linreg", {"length": 20}),
    "linreg_slope": ("linreg_slope", "slope slope_atr", {"length": 20}),
    "macd": ("macd", "macd signal histogram macd_atr", {"fast": 12, "slow": 26, "signal": 9}),
    "ppo": ("ppo", "ppo", {"fast": 12, "slow": 26}),
    "adx, plus_di, minus_di": ("adx", "adx plus_di minus_di", {"length": 14}),
    "aroon_up, dn, osc": ("aroon", "up down oscillator", {"length": 25}),
    "sar": ("sar", "sar", {"acceleration": 0.02, "fastest": 0.2}),
    "supertrend": ("supertrend", "line side", {"length": 10, "multiple": 3.0}),
    "ichimoku": (
        "ichimoku",
        "conversion base cloud_a cloud_b future_a future_b chikou score",
        {"conversion": 9, "base": 26, "span": 52, "shift": 26},
    ),
    "vortex": ("vortex", "plus minus", {"length": 14}),
    "dpo": ("dpo", "dpo dpo_atr", {"length": 20}),
    "vhf": ("vhf", "vhf", {"length": 28}),
    "er": ("er", "er", {"length": 10}),
    "ema_cross": ("ema_cross", "spread cross", {"fast": 12, "slow": 26}),
    "ma_stack": ("ma_stack", "ma_stack", {"fast": 20, "middle": 50, "slow": 200}),
    "ha_trend": ("ha_trend", "side", {}),
}
MOMENTUM: dict[str, Entry] = {
    "rsi": ("rsi", "rsi", {"length": 14}),
    "stoch": ("stochastic", "k d", {"length": 14, "k_smoothing": 3, "d_smoothing": 3}),
    "stochrsi": ("stochastic_rsi", "k d", {"length": 14, "range_length": 14, "d_smoothing": 3}),
    "kdj": ("kdj", "k d j", {"length": 9, "k_smoothing": 3, "d_smoothing": 3}),
    "williams_r": ("williams_r", "williams_r", {"length": 14}),
    "cci": ("cci", "cci", {"length": 20}),
    "ao": ("ao", "ao ao_atr", {"fast": 5, "slow": 34}),
    "ac": ("ac", "ac", {"fast": 5, "slow": 34, "signal": 5}),
    "mom": ("momentum", "momentum", {"length": 10}),
    "roc": ("roc", "roc", {"length": 10}),
    "cmo": ("cmo", "cmo", {"length": 14}),
    "cmou": ("cmo", "cmo_unsmoothed", {"length": 14}),
    "tsi": ("tsi", "tsi", {"first": 25, "second": 13}),
    "smi": ("smi", "smi signal", {"length": 13, "fast": 2, "slow": 25, "signal": 9}),
    "trix": ("trix", "trix", {"length": 15}),
    "ultosc": (
        "ultimate_oscillator",
        "ultimate_oscillator",
        {"short": 7, "middle": 14, "long": 28},
    ),
    "coppock": ("coppock", "coppock", {"short": 11, "long": 14, "length": 10}),
    "bop": ("bop", "bop", {}),
    "mfi": ("mfi", "mfi", {"length": 14}),
    "imi": ("imi", "imi", {"length": 14}),
    "eri": ("eri", "bull bear", {"length": 13}),
    "fosc": ("fosc", "fosc", {"length": 5}),
    "qstick": ("qstick", "qstick", {"length": 10}),
    "kst": ("kst", "kst signal", {"roc_1": 10, "roc_4": 30, "mean_1": 10, "mean_4": 15}),
    "rvgi": ("rvgi", "rvgi signal", {"length": 14}),
    "fisher": ("fisher", "fisher", {"length": 9}),
}
VOLATILITY: dict[str, Entry] = {
    "tr": ("true_range", "true_range", {}),
    "atr": ("atr", "atr atr_frac", {"length": 14}),
    "natr": ("natr", "natr", {"length": 14}),
    "bbands": ("bollinger", "upper middle lower", {"length": 20, "deviations": 2.0}),
    "%b, bandwidth": ("bollinger", "percent_b bandwidth", {"length": 20, "deviations": 2.0}),
    "keltner": (
        "keltner",
        "upper middle lower",
        {"length": 20, "atr_length": 10, "multiple": 2.0},
    ),
    "donchian": ("donchian", "upper middle lower", {"length": 20}),
    "accbands": ("acceleration_bands", "upper middle lower", {"length": 20}),
    "stddev": ("standard_deviation", "deviation", {"length": 20}),
    "cvi": ("cvi", "cvi", {"length": 10, "roc_length": 10}),
    "mass_index": ("mass_index", "mass_index bulge", {"length": 9, "sum_length": 25}),
    "rvi": ("rvi", "rvi", {"length": 14}),
    "adr": ("adr", "adr", {"length": 14}),
    "chandelier": ("chandelier", "long_stop short_stop", {"length": 22, "multiple": 3.0}),
    "squeeze": ("squeeze", "on momentum", {"length": 20, "deviations": 2.0}),
    "parkinson": ("parkinson", "annual", {"length": 20}),
    "garman_klass": ("garman_klass", "annual", {"length": 20}),
    "rogers_satchell": ("rogers_satchell", "annual", {"length": 20}),
    "yang_zhang": ("yang_zhang", "annual", {"length": 20}),
    "ulcer": ("ulcer", "ulcer", {"length": 14}),
}
STATISTICAL: dict[str, Entry] = {
    "percentrank": ("percent_rank", "percent_rank", {"length": 100}),
    "zscore": ("z_score", "z", {}),
    "linreg_angle": ("linreg_angle", "angle", {}),
    "correl": ("benchmark_correlation", "value", {"length": 30}),
    "beta": ("benchmark_beta", "value", {"length": 30}),
    "hurst": ("hurst", "hurst", {"length": 100}),
    "ht_dcperiod": ("dominant_cycle", "period", {}),
    "ht_trendmode": ("trend_mode", "mode", {}),
    "hma_slope": ("hma_slope", "hma_slope", {}),
}
LISTED = TREND | MOMENTUM | VOLATILITY | STATISTICAL
MARKET = null_market(2000, 7)


def test_the_list_holds_what_the_specification_counts() -> None:
    groups = (TREND, MOMENTUM, VOLATILITY, STATISTICAL)
    assert [len(group) for group in groups] == [29, 26, 20, 9]
    assert len(LISTED) == 84
    named = {(name, output) for name, outputs, _ in LISTED.values() for output in outputs.split()}
    assert len(named) == sum(len(outputs.split()) for _, outputs, _ in LISTED.values())


@pytest.mark.parametrize("wanted", LISTED)
def test_is_listed_with_its_defaults_and_moves(wanted: str) -> None:
    name, outputs, defaults = LISTED[wanted]
    indicator = INDICATORS_BY_NAME[name]
    resolved = indicator.resolved({})
    assert {parameter: resolved[parameter] for parameter in defaults} == defaults
    clock = clock_of(MARKET, native_clock(indicator, MARKET))
    lines = indicator.compute({one: clock.columns[one] for one in indicator.inputs}, resolved)
    for output in outputs.split():
        known = lines[indicator.output_index(output)]
        known = known[~np.isnan(known)]
        assert len(np.unique(known)) > 1, output
