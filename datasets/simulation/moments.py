"""Moments by which a simulated market is compared with real files."""

import numpy as np

from engine import DAY_NS, HOUR_NS, Bars, Bool1D, Float1D, Int1D

OUTLIER = 5.0
"""Standard deviations beyond which an hourly return counts as an outlier."""


def autocorrelation(values: Float1D, lag: int) -> float:
    """Correlation of ``values`` with themselves ``lag`` rows earlier."""
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred * centred).mean())


def correlation(first: Float1D, second: Float1D) -> float:
    """Correlation of two columns over the rows where both are finite."""
    both = np.isfinite(first) & np.isfinite(second)
    return float(np.corrcoef(first[both], second[both])[0, 1])


def hourly_moments(bars: Bars) -> dict[str, float]:
    """Moments of hourly bars with flow columns; gaps and untraded bars are left out.

    Returns are logarithms of close over open of the same bar, so that gaps do not disturb them.
    """
    keep = ~bars.is_gap & (bars.volume > 0.0)
    log_return = np.log(bars.close / bars.open)[keep]
    size = np.abs(log_return)
    deviation = float(log_return.std())
    centred = log_return - log_return.mean()
    log_volume = np.log(bars.volume[keep])
    taker = _flow(bars.taker_buy_volume, keep) / bars.volume[keep]
    by_hour = _profile(bars.volume[keep], bars.open_time[keep] // HOUR_NS % 24)
    by_weekday = _profile(bars.volume[keep], (bars.open_time[keep] // DAY_NS + 3) % 7)
    reach = np.log(bars.high[keep] / bars.low[keep])
    return {
        "std of log return": deviation,
        "kurtosis": float((centred**4).mean() / deviation**4),
        "skewness": float((centred**3).mean() / deviation**3),
        "autocorrelation of return, 1h": autocorrelation(log_return, 1),
        "autocorrelation of abs return, 1h": autocorrelation(size, 1),
        "autocorrelation of abs return, 24h": autocorrelation(size, 24),
        "autocorrelation of abs return, 168h": autocorrelation(size, 168),
        "share beyond 5 deviations": float((size > OUTLIER * deviation).mean()),
        "mean range / mean abs return": float(reach.mean() / size.mean()),
        "volume, busiest / quietest hour": float(by_hour.max() / by_hour.min()),
        "volume, busiest / quietest weekday": float(by_weekday.max() / by_weekday.min()),
        "std of log volume": float(log_volume.std()),
        "autocorrelation of log volume, 1h": autocorrelation(log_volume, 1),
        "autocorrelation of log volume, 24h": autocorrelation(log_volume, 24),
        "correlation of volume, abs return": correlation(bars.volume[keep], size),
        "correlation of log volume, log abs return": correlation(
            log_volume, np.log(np.maximum(size, 1e-5))
        ),
        "taker-buy share, mean": float(taker.mean()),
        "taker-buy share, std": float(taker.std()),
        "taker-buy share, autocorrelation 1h": autocorrelation(taker, 1),
        "correlation of taker share, return": correlation(taker, log_return),
        "correlation of taker share, next return": correlation(taker[:-1], log_return[1:]),
        "median turnover per hour, million": float(np.median(_flow(bars.quote_volume, keep)) / 1e6),
        "mean trade in quote currency": float(
            _flow(bars.quote_volume, keep).sum() / _flow(bars.trades, keep).sum()
        ),
    }


def funding_moments(rate: Float1D) -> dict[str, float]:
    """Moments of settled eight-hour funding rates, fractions, in the order of settlement."""
    return {
        "mean, bps": float(1e4 * rate.mean()),
        "std, bps": float(1e4 * rate.std()),
        "autocorrelation, 8h": autocorrelation(rate, 1),
        "autocorrelation, 24h": autocorrelation(rate, 3),
        "autocorrelation, 168h": autocorrelation(rate, 21),
        "share at exactly 1 bp": float((np.abs(rate - 1e-4) < 1e-9).mean()),
        "share below 0": float((rate < 0.0).mean()),
        "share above 1 bp": float((rate > 1e-4 + 1e-9).mean()),
        "1 % quantile, bps": float(1e4 * np.quantile(rate, 0.01)),
        "5 % quantile, bps": float(1e4 * np.quantile(rate, 0.05)),
        "95 % quantile, bps": float(1e4 * np.quantile(rate, 0.95)),
        "99 % quantile, bps": float(1e4 * np.quantile(rate, 0.99)),
    }


def premium_moments(spot: Bars, perp: Bars) -> dict[str, float]:
    """Moments of the perpetual against spot on the same hourly grid."""
    keep = ~spot.is_gap & ~perp.is_gap & (spot.volume > 0.0) & (perp.volume > 0.0)
    premium = (perp.close / spot.close - 1.0)[keep]
    spot_return, perp_return = (np.diff(np.log(bars.close[keep])) for bars in (spot, perp))
    change = np.diff(premium)
    pull = correlation(premium[:-1], change) * change.std()
    week = np.convolve(spot_return, np.ones(168), mode="valid")
    return {
        "mean, bps": float(1e4 * premium.mean()),
        "std, bps": float(1e4 * premium.std()),
        "autocorrelation, 1h": autocorrelation(premium, 1),
        "autocorrelation, 24h": autocorrelation(premium, 24),
        "correlation with last week's return": correlation(premium[168:], week),
        "expected change in 1h for one std, bps": float(1e4 * pull),
        "that change / std of spot return": float(pull / spot_return.std()),
        "correlation with next perpetual return": correlation(premium[:-1], perp_return),
        "correlation with next spot return": correlation(premium[:-1], spot_return),
        "correlation of spot, perpetual return": correlation(spot_return, perp_return),
        "turnover, perpetual / spot": float(
            (perp.volume * perp.close)[keep].sum() / (spot.volume * spot.close)[keep].sum()
        ),
        "correlation of log volumes": correlation(
            np.log(spot.volume[keep]), np.log(perp.volume[keep])
        ),
    }


def daily_moments(values: Float1D) -> dict[str, float]:
    """Moments of a daily level in the order of days."""
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "std of daily log change": float(np.diff(np.log(np.maximum(values, 1e-9))).std()),
        "autocorrelation, 1d": autocorrelation(values, 1),
        "autocorrelation, 7d": autocorrelation(values, 7),
        "autocorrelation, 30d": autocorrelation(values, 30),
    }


def _flow(column: Float1D | None, keep: Bool1D) -> Float1D:
    return np.full(int(keep.sum()), np.nan) if column is None else column[keep]


def _profile(values: Float1D, group: Int1D) -> Float1D:
    """Mean of ``values`` in each group, relative to the overall mean."""
    sums = np.bincount(group, weights=values)
    profile: Float1D = sums / np.bincount(group) / values.mean()
    return profile
