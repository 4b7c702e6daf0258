"""The ``data`` section: bars, instruments, and the simulated market."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from datasets import CoinSupply, FurtherSources, Instrument, SimulationSpec
from datasets.keys import SIMULATED_VENUE
from engine import ConfigError, timeframe_ns

from .config_section import Label, Real, Section, Whole, midnight_ns


def _same_as_signals(value: Any) -> Any:
    return None if value == "same" else value


def _null_word(value: Any) -> Any:
    """YAML reads the word null as no value."""
    return "null" if value is None else value


DEFAULT_PLANT: Final[Mapping[str, Any]] = {
    "planted_column": "taker_flow",
    "planted_edge": 1.0,
    "planted_horizon_hours": 12,
}
"""What a planted market plants unless told otherwise."""


class InstrumentConfig(Section):
    """One instrument of the store.

    ``source`` null takes the only source there is. A list names sources in order of precedence: each
    row comes from the first that has it.
    """

    venue: Label
    market: Label
    symbol: Label
    source: Label | Annotated[tuple[Label, ...], Field(min_length=1)] | None = None

    def __str__(self) -> str:
        source = ">".join(self.sources) or "any source"
        return "/".join((self.venue, self.market, self.symbol, source))

    @property
    def sources(self) -> tuple[str, ...]:
        """The named sources in order of precedence; empty where any will do."""
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source


def instrument_of(config: InstrumentConfig) -> Instrument:
    """The store's name of a configured instrument."""
    return Instrument(config.venue, config.market, config.symbol, config.source)


class SupplyConfig(InstrumentConfig):
    """A list of coins (kind ``universe``), and the coin's name in its column ``asset``."""

    asset: str


class InstrumentPair(Section):
    """What is looked at and what is traded.

    ``traded`` null (or the word ``same``) trades the instrument of the signals. With
    ``traded_price_fallback: signals`` a bar that the traded instrument lacks is priced by the
    signals' instrument; with ``none`` it is a gap on which nothing fills. ``funding`` names the
    perpetual whose settlements are paid, null pays none. ``fine`` is the instrument whose bars of
    ``data.fine_timeframe`` tell what happened inside a bar, ``mark`` the one whose mark prices count;
    null is the traded one for both. ``series_from`` lists where slow series are looked for, in order,
    after the signals' own instrument.

    ``dated_futures`` is the underlying of dated futures, ``index`` the spot instrument whose closes stand
    for an index price that the store lacks, ``second_metrics`` the contract of a second venue whose
    long/short ratios stand beside the first, ``venue_reserves`` the exchange whose reserves are compared
    with those of all, ``supply`` where the float is read that unlocks are measured by, ``trades`` the
    instrument whose trades are added up under each bar. What is named must be in the store.
    """

    signals: InstrumentConfig
    traded: Annotated[InstrumentConfig | None, BeforeValidator(_same_as_signals)] = None
    traded_price_fallback: Literal["signals", "none"] = "none"
    funding: InstrumentConfig | None = None
    fine: InstrumentConfig | None = None
    mark: InstrumentConfig | None = None
    series_from: tuple[InstrumentConfig, ...] = ()
    dated_futures: InstrumentConfig | None = None
    index: InstrumentConfig | None = None
    second_metrics: InstrumentConfig | None = None
    venue_reserves: InstrumentConfig | None = None
    supply: SupplyConfig | None = None
    trades: InstrumentConfig | None = None

    @model_validator(mode="after")
    def _index_is_spot(self) -> "InstrumentPair":
        if self.index is not None and self.index.market != "spot":
            raise ValueError(
                f"index={self.index} is not of market spot; an index is made of spot prices, name a "
                "spot instrument"
            )
        return self

    @property
    def further(self) -> FurtherSources:
        """Where series come from that no instrument has by itself."""

        def named(one: InstrumentConfig | None) -> Instrument | None:
            return None if one is None else instrument_of(one)

        supply = self.supply
        return FurtherSources(
            dated_futures=named(self.dated_futures),
            index=named(self.index),
            second_metrics=named(self.second_metrics),
            venue_reserves=named(self.venue_reserves),
            supply=None if supply is None else CoinSupply(instrument_of(supply), supply.asset),
            trades=named(self.trades),
        )

    @property
    def symbol(self) -> str:
        """The name of the traded symbol, under which the run reports it."""
        return (self.traded or self.signals).symbol


class UniverseConfig(Section):
    """Coins that features look across (altcoin season, rotation, correlation); they need not be traded.

    ``symbols`` names instruments of one venue and market, or ``all`` that the store has there in ``quote``,
    delisted ones too; ``source`` is that of each, as in an instrument. ``benchmark`` is the symbol of
    bitcoin among them. Each day the ``size`` largest that have been listed for ``minimum_listed_days``
    are its members: ``by`` ``quote_volume`` of the last ``lookback_days`` days, or ``market_cap`` in the
    last list that could be seen, which ``coins`` names and in which ``assets`` tells a coin from others
    of its ticker. Stable and wrapped coins are left out.
    """

    venue: Label
    market: Label
    symbols: Literal["all"] | Annotated[tuple[Label, ...], Field(min_length=1)] = "all"
    source: Label | Annotated[tuple[Label, ...], Field(min_length=1)] | None = None
    quote: Label = "USDT"
    benchmark: Label = "BTCUSDT"
    size: Whole = Field(default=50, ge=1)
    by: Literal["quote_volume", "market_cap"] = "quote_volume"
    lookback_days: Whole = Field(default=30, ge=1)
    minimum_listed_days: Whole = Field(default=91, ge=0)
    coins: InstrumentConfig | None = None
    assets: Mapping[Label, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_its_list(self) -> "UniverseConfig":
        if (self.by == "market_cap") != (self.coins is not None):
            raise ValueError(
                f"by={self.by} and coins={self.coins} do not fit: market_cap needs the list of coins "
                "that states it, quote_volume reads none"
            )
        return self


class SimulatedConfig(Section):
    """A simulated market that a run creates when the store does not hold it yet.

    In mode ``null`` nothing predicts anything. In mode ``planted`` a drift of ``planted_edge`` basis
    points per hour and standard deviation of ``planted_column`` is added in the
    ``planted_horizon_hours`` after that column was known. ``seed`` null takes the seed of the run.
    """

    mode: Annotated[Literal["null", "planted"], BeforeValidator(_null_word)] = "null"
    symbols: tuple[Label, ...] = Field(default=("BTCSIM", "ETHSIM"), min_length=1, max_length=250)
    start: date = date(2021, 1, 1)
    days: Whole = Field(default=365, ge=1, le=3660)
    seed: Whole | None = Field(default=None, ge=0, le=2**31 - 1)
    planted_column: str | None = None
    planted_edge: Real | None = Field(default=None, ge=-100, le=100)
    planted_horizon_hours: Whole | None = Field(default=None, ge=1, le=168)

    @model_validator(mode="before")
    @classmethod
    def _planted_by_default(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        if data.get("mode") != "planted":
            return data
        given = {key: value for key, value in data.items() if value is not None}
        return {**data, **{key: given.get(key, value) for key, value in DEFAULT_PLANT.items()}}

    @model_validator(mode="after")
    def _simulable(self) -> "SimulatedConfig":
        self.spec(0, "1h")
        return self

    def spec(self, seed: int, timeframe: str, *, keep_minutes: bool = False) -> SimulationSpec:
        """The simulator's own description; ``seed`` is used where this section names none."""
        plant = {name: getattr(self, name) for name in DEFAULT_PLANT}
        return SimulationSpec(
            mode=self.mode,
            symbols=tuple(self.symbols),
            start_ns=midnight_ns(self.start),
            days=self.days,
            seed=seed if self.seed is None else self.seed,
            timeframe=timeframe,
            keep_minutes=keep_minutes,
            **{name: value for name, value in plant.items() if value is not None},
        )


class DataConfig(Section):
    """Bars and instruments. ``start`` and ``end`` are whole UTC days and both belong to the run.

    Stops, targets and liquidation are resolved on bars of ``fine_timeframe`` where the store has some
    inside a bar of ``timeframe``, whose prices are then made of them. ``mark_prices``: ``auto`` takes
    those that the store has and the traded prices elsewhere, ``stored`` insists on the store's,
    ``traded`` takes none. Without ``universe`` features across symbols have no data.
    """

    timeframe: str = "1h"
    fine_timeframe: str | None = None
    mark_prices: Literal["auto", "stored", "traded"] = "auto"
    start: date | None = None
    end: date | None = None
    instruments: tuple[InstrumentPair, ...] = ()
    simulated: SimulatedConfig | None = None
    universe: UniverseConfig | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "DataConfig":
        timeframe_ns(self.timeframe)
        self._check_fine_timeframe()
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end={self.end} is before start={self.start}")
        if not self.instruments and self.simulated is None:
            raise ValueError("instruments is empty; name one, or ask for a simulated market")
        symbols = [pair.symbol for pair in self.instruments]
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(
                f"instruments trades {twice[0]} twice; a symbol is traded once in a run"
            )
        return self

    def _check_fine_timeframe(self) -> None:
        if self.fine_timeframe is None:
            return
        try:
            fine_ns = timeframe_ns(self.fine_timeframe)
        except ConfigError as error:
            raise ValueError(f"fine_{error}") from None
        count, rest = divmod(timeframe_ns(self.timeframe), fine_ns)
        if rest or count < 2:
            raise ValueError(
                f"fine_timeframe={self.fine_timeframe} must be shorter than timeframe={self.timeframe} "
                "and divide it"
            )

    @property
    def start_ns(self) -> int | None:
        """First moment of the first day, int64 ns UTC, or None for the beginning of the data."""
        return None if self.start is None else midnight_ns(self.start)

    @property
    def end_ns(self) -> int | None:
        """First moment after the last day, int64 ns UTC, or None for the end of the data.

        A simulated market ends after its ``days``, also where the store holds a longer one, and whether
        its instruments are named or not.
        """
        given = None if self.end is None else midnight_ns(self.end + timedelta(days=1))
        if self.simulated is None or any(
            pair.signals.venue != SIMULATED_VENUE for pair in self.instruments
        ):
            return given
        simulated = midnight_ns(self.simulated.start + timedelta(days=self.simulated.days))
        return simulated if given is None else min(given, simulated)
