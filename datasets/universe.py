"""Which instruments belong to the universe at each bar, by rules that use only what was known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from engine import (
    DAY_NS,
    Bool1D,
    Bool2D,
    ConfigError,
    DataError,
    Float1D,
    Float2D,
    Int1D,
    grid_origin_ns,
    timeframe_ns,
)

from .cache import ArrayCache
from .coins import CoinList, coin_rows, tickers_among
from .keys import Instrument
from .loading import AlignedMarkets, NoBarsError, bars_datasets, load_aligned
from .store import Store

RELISTED_AFTER_NS: Final = 7 * DAY_NS
"""A hole this long is a delisting and, after it, a new listing; venues repair outages in hours."""
_DAY: Final = "1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRule:
    """The ``size`` largest instruments, chosen anew every ``rebalance``.

    ``by`` ``quote_volume`` ranks by the quote volume (volume times close where none is stated) of
    the last ``lookback_days`` whole days, ``market_cap`` by the last visible list of coins. An instrument
    counts from ``minimum_listed_days`` after its first bar, and while it had a bar on the day before. A
    hole of at least ``RELISTED_AFTER_NS`` begins a new listing: what comes back may be another coin.
    ``exclude_stable`` and ``exclude_wrapped`` leave out what the list of coins calls so. A
    member stays while its rank is at most ``keep_until_rank`` (None: ``size``), so that the edge of the
    universe does not flicker. ``rebalance`` is a whole number of days, at 00:00 UTC; weeks begin on
    Monday. Raises ConfigError when a number is out of range.
    """

    size: int
    by: Literal["quote_volume", "market_cap"] = "quote_volume"
    lookback_days: int = 30
    minimum_listed_days: int = 90
    rebalance: str = "1w"
    exclude_stable: bool = False
    exclude_wrapped: bool = False
    keep_until_rank: int | None = None

    def __post_init__(self) -> None:
        if self.by not in ("quote_volume", "market_cap"):
            raise ConfigError(f"universe: by={self.by!r} must be quote_volume or market_cap")
        for name, least in (("size", 1), ("lookback_days", 1), ("minimum_listed_days", 0)):
            if getattr(self, name) < least:
                raise ConfigError(
                    f"universe: {name}={getattr(self, name)} must be at least {least}"
                )
        if timeframe_ns(self.rebalance) % DAY_NS:
            raise ConfigError(f"universe: rebalance={self.rebalance!r} must be a number of days")
        if self.keep_until_rank is not None and self.keep_until_rank < self.size:
            raise ConfigError(
                f"universe: keep_until_rank={self.keep_until_rank} must not be below size={self.size}"
            )

    @property
    def needs_coins(self) -> bool:
        """Whether the rule reads the list of coins."""
        return self.by == "market_cap" or self.exclude_stable or self.exclude_wrapped


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Universe:
    """Membership of S instruments on T bars, and the R choices behind it.

    ``open_time`` ``(T,)`` and ``chosen_at`` ``(R,)`` are int64 ns UTC; ``chosen`` ``(R, S)`` says who was
    chosen then. ``member`` ``(T, S)`` is True where an instrument was chosen at the last choice up to
    the close of the bar and has the bar itself: a coin that leaves the exchange is a member until its
    last bar, and one that comes later is none before.
    """

    instruments: tuple[Instrument, ...]
    timeframe: str
    open_time: Int1D
    member: Bool2D
    chosen_at: Int1D
    chosen: Bool2D


def select_universe(
    store: Store,
    instruments: Sequence[Instrument],
    timeframe: str,
    rule: UniverseRule,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    coins: Instrument | None = None,
    assets: Mapping[Instrument, str] | None = None,
    cache: ArrayCache | bool = True,
) -> Universe:
    """The universe among ``instruments`` (give delisted ones too) on the bars of ``timeframe``.

    A choice at a moment reads days that had ended and lists that were available by then, so data that
    come later never change it. With ``keep_until_rank`` the choices depend on the one before; the first
    is the last one due before the period. ``coins`` is the instrument of the data set of kind
    ``universe``, ``assets`` names each instrument's coin in it, by the column ``asset`` (tickers are not
    unique), or ``by_ticker(ticker)`` for whichever coin has that ticker on the list of a date.

    Raises ConfigError for a rule that needs ``coins`` or ``assets`` without them, DataError where the
    store lacks something, or the list of coins does not state what the rule asks for.
    """
    markets = load_aligned(store, instruments, timeframe, start_ns, end_ns, columns=(), cache=cache)
    chosen_at = _rebalances(markets, rule)
    chosen = universe_choices(
        store,
        instruments,
        timeframe,
        rule,
        chosen_at,
        from_ns=start_ns,
        coins=coins,
        assets=assets,
        cache=cache,
    )
    row = np.searchsorted(chosen_at, markets.close_time, side="right") - 1
    return Universe(
        instruments=markets.instruments,
        timeframe=timeframe,
        open_time=markets.open_time,
        member=chosen[row] & markets.listed & ~markets.is_gap,
        chosen_at=chosen_at,
        chosen=chosen,
    )


def universe_choices(
    store: Store,
    instruments: Sequence[Instrument],
    timeframe: str,
    rule: UniverseRule,
    chosen_at: Int1D,
    *,
    from_ns: int | None = None,
    coins: Instrument | None = None,
    assets: Mapping[Instrument, str] | None = None,
    cache: ArrayCache | bool = True,
) -> Bool2D:
    """Who is chosen at each of the moments ``chosen_at`` (``(R,)``, increasing, midnights), ``(R, S)``.

    The choices of ``select_universe``, made when they are asked for; ``from_ns`` None reads every earlier
    day. Raises what it raises.
    """
    listing = _coin_list(store, rule, instruments, coins, assets)
    first_day = None
    if from_ns is not None:
        first_day = int(chosen_at[0]) - rule.lookback_days * DAY_NS
    last_day = int(chosen_at[-1])
    listed_from = np.stack(
        [_listed_from(store, one, timeframe, chosen_at) for one in instruments], axis=1
    )
    scores = np.full((len(chosen_at), len(instruments)), np.nan)
    daily = _daily(store, instruments, first_day, last_day, cache)
    if daily is not None:
        scores = _scores(rule, daily, chosen_at, listing, assets or {})
    too_young = chosen_at[:, None] - listed_from < rule.minimum_listed_days * DAY_NS
    scores[too_young] = np.nan
    return _choices(rule, scores)


def _coin_list(
    store: Store,
    rule: UniverseRule,
    instruments: Sequence[Instrument],
    coins: Instrument | None,
    assets: Mapping[Instrument, str] | None,
) -> CoinList | None:
    if not rule.needs_coins:
        return None
    if coins is None or assets is None:
        raise ConfigError(
            "universe: market caps and flags come from a list of coins; name its instrument with "
            "coins and the coin of each instrument with assets"
        )
    unnamed = [instrument for instrument in instruments if instrument not in assets]
    if unnamed:
        raise ConfigError(f"universe: assets names no coin for {unnamed[0]} ({len(unnamed)} such)")
    listing = CoinList(coin_rows(store, coins, tickers_among(assets.values())))
    for wanted, name, stated in (
        (rule.by == "market_cap", "market_cap_usd", listing.states_caps),
        (rule.exclude_stable, "is_stable", listing.states_stable),
        (rule.exclude_wrapped, "is_wrapped", listing.states_wrapped),
    ):
        if wanted and not stated:
            raise DataError(f"{coins}: no row of the list of coins states {name}")
    return listing


def _listed_from(store: Store, instrument: Instrument, timeframe: str, chosen_at: Int1D) -> Int1D:
    """First bar of the listing in force at each choice, or of the first one, int64 ns UTC, ``(R,)``."""
    oldest = np.full(len(chosen_at), np.iinfo(np.int64).max)
    for key in bars_datasets(store, instrument, timeframe):
        info = store.dataset(key)
        starts = [info.first_ns] + [
            gap.before_ns for gap in info.gaps if gap.before_ns - gap.after_ns >= RELISTED_AFTER_NS
        ]
        # A hole that another source fills is none.
        place = np.maximum(np.searchsorted(starts, chosen_at, side="right") - 1, 0)
        oldest = np.minimum(oldest, np.array(starts, dtype=np.int64)[place])
    return oldest


def _rebalances(markets: AlignedMarkets, rule: UniverseRule) -> Int1D:
    """Every moment of choice from the last one due at the first close to the last close."""
    step, origin = timeframe_ns(rule.rebalance), grid_origin_ns(rule.rebalance)
    first = int(markets.close_time[0])
    return np.arange(
        first - (first - origin) % step, int(markets.close_time[-1]) + 1, step, dtype=np.int64
    )


def _daily(
    store: Store,
    instruments: Sequence[Instrument],
    start_ns: int | None,
    end_ns: int,
    cache: ArrayCache | bool,
) -> AlignedMarkets | None:
    """Days that end by ``end_ns``, None where there is none."""
    try:
        # Without the day on which a coin left, only one that came back would have had a bar on it.
        return load_aligned(
            store,
            instruments,
            _DAY,
            start_ns,
            end_ns,
            columns=("quote_volume",),
            last_part=True,
            cache=cache,
        )
    except NoBarsError:
        return None


def _scores(
    rule: UniverseRule,
    daily: AlignedMarkets,
    chosen_at: Int1D,
    listing: CoinList | None,
    assets: Mapping[Instrument, str],
) -> Float2D:
    """What the instruments are ranked by at each choice, NaN for those that do not count, ``(R, S)``."""
    has_bar = daily.listed & ~daily.is_gap
    turnover = _turnover(daily, has_bar)
    # Rows before this one had ended by the choice.
    ended = np.searchsorted(daily.close_time, chosen_at, side="right")
    scores = np.full((len(chosen_at), has_bar.shape[1]), np.nan)
    names = [assets.get(instrument, "") for instrument in daily.instruments]
    for choice, rows in enumerate(ended.tolist()):
        moment = int(chosen_at[choice])
        if listing is not None:
            listing.advance(moment)
        if rows == 0 or daily.close_time[rows - 1] < moment:
            continue
        counts = has_bar[rows - 1] & ~_excluded(rule, listing, names)
        if rule.by == "market_cap" and listing is not None:
            score = listing.market_caps(names, moment)
        else:
            score = turnover[max(0, rows - rule.lookback_days) : rows].sum(axis=0)
        scores[choice] = np.where(counts & (score > 0), score, np.nan)
    return scores


def _turnover(daily: AlignedMarkets, has_bar: Bool2D) -> Float2D:
    estimated = daily.volume * daily.close
    stated = daily.flows.get("quote_volume")
    turnover = estimated if stated is None else np.where(np.isnan(stated), estimated, stated)
    return np.where(has_bar, turnover, 0.0)


def _excluded(rule: UniverseRule, listing: CoinList | None, names: Sequence[str]) -> Bool1D:
    excluded = np.zeros(len(names), dtype=np.bool_)
    if listing is not None and rule.exclude_stable:
        excluded |= [name in listing.stable for name in names]
    if listing is not None and rule.exclude_wrapped:
        excluded |= [name in listing.wrapped for name in names]
    return excluded


def _choices(rule: UniverseRule, scores: Float2D) -> Bool2D:
    chosen = np.zeros(scores.shape, dtype=np.bool_)
    before = np.zeros(scores.shape[1], dtype=np.bool_)
    for choice, score in enumerate(scores):
        before = _choice(rule, score, before)
        chosen[choice] = before
    return chosen


def _choice(rule: UniverseRule, score: Float1D, before: Bool1D) -> Bool1D:
    # Of equal scores the instrument that was named first comes first.
    ranked = np.argsort(-score, kind="stable")[: int(np.isfinite(score).sum())]
    kept = ranked[: rule.keep_until_rank or rule.size]
    stay = [column for column in kept if before[column]][: rule.size]
    rest = [column for column in ranked if column not in stay][: rule.size - len(stay)]
    chosen = np.zeros(len(score), dtype=np.bool_)
    chosen[[*stay, *rest]] = True
    return chosen
