"""What a run is made of: one tree of frozen sections, every key known and every range checked."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from datasets import SimulationSpec
from engine import SECOND_NS, ReplayRules, timeframe_ns
from strategies import WEIGHTS, ConsensusRules

from .config_heads import HeadsConfig


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _same_as_signals(value: Any) -> Any:
    return None if value == "same" else value


def _null_word(value: Any) -> Any:
    """YAML reads the word null as no value."""
    return "null" if value is None else value


Real = Annotated[float, BeforeValidator(_not_bool)]
Whole = Annotated[int, BeforeValidator(_not_bool)]
Label = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]


DEFAULT_PLANT: Final[Mapping[str, Any]] = {
    "planted_column": "taker_flow",
    "planted_edge": 1.0,
    "planted_horizon_hours": 12,
}
"""What a planted market plants unless told otherwise."""


class Section(BaseModel):
    """A part of a configuration: frozen, no unknown keys, finite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


class InstrumentPair(Section):
    """What is looked at and what is traded.

    ``traded`` null (or the word ``same``) trades the instrument of the signals. With
    ``traded_price_fallback: signals`` a bar that the traded instrument lacks is priced by the
    signals' instrument; with ``none`` it is a gap on which nothing fills. ``funding`` names the
    perpetual whose settlements are paid, null pays none. ``series_from`` lists where slow series are
    looked for, in order, after the signals' own instrument.
    """

    signals: InstrumentConfig
    traded: Annotated[InstrumentConfig | None, BeforeValidator(_same_as_signals)] = None
    traded_price_fallback: Literal["signals", "none"] = "none"
    funding: InstrumentConfig | None = None
    series_from: tuple[InstrumentConfig, ...] = ()

    @property
    def symbol(self) -> str:
        """The name of the traded symbol, under which the run reports it."""
        return (self.traded or self.signals).symbol


class SimulatedConfig(Section):
    """A simulated market that a run creates when the store does not hold it yet.

    In mode ``null`` nothing predicts anything. In mode ``planted`` a drift of ``planted_edge`` basis
    points per hour and standard deviation of ``planted_column`` is added in the
    ``planted_horizon_hours`` after that column was known. ``seed`` null takes the seed of the run.
    """

    mode: Annotated[Literal["null", "planted"], BeforeValidator(_null_word)] = "null"
    symbols: tuple[Label, ...] = Field(default=("BTCSIM", "ETHSIM"), min_length=1, max_length=50)
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

    def spec(self, seed: int, timeframe: str) -> SimulationSpec:
        """The simulator's own description; ``seed`` is used where this section names none."""
        plant = {name: getattr(self, name) for name in DEFAULT_PLANT}
        return SimulationSpec(
            mode=self.mode,
            symbols=tuple(self.symbols),
            start_ns=midnight_ns(self.start),
            days=self.days,
            seed=seed if self.seed is None else self.seed,
            timeframe=timeframe,
            **{name: value for name, value in plant.items() if value is not None},
        )


class DataConfig(Section):
    """Bars and instruments. ``start`` and ``end`` are whole UTC days and both belong to the run."""

    timeframe: str = "1h"
    start: date | None = None
    end: date | None = None
    instruments: tuple[InstrumentPair, ...] = ()
    simulated: SimulatedConfig | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "DataConfig":
        timeframe_ns(self.timeframe)
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

    @property
    def start_ns(self) -> int | None:
        """First moment of the first day, int64 ns UTC, or None for the beginning of the data."""
        return None if self.start is None else midnight_ns(self.start)

    @property
    def end_ns(self) -> int | None:
        """First moment after the last day, int64 ns UTC, or None for the end of the data.

        A simulated market ends after its ``days``, also where the store holds a longer one.
        """
        given = None if self.end is None else midnight_ns(self.end + timedelta(days=1))
        if self.simulated is None or self.instruments:
            return given
        simulated = midnight_ns(self.simulated.start + timedelta(days=self.simulated.days))
        return simulated if given is None else min(given, simulated)


class ConsensusConfig(Section):
    """Gates between nine votes and a decision (SPEC: consensus)."""

    p_min: Real = Field(default=0.60, ge=0.5, le=1)
    c_min: Real = Field(default=0.70, ge=0, le=1)
    quorum: Whole = Field(default=4, ge=1, le=9)
    weight_min: Real = Field(default=0.35, ge=0, le=1)
    score_min: Real = Field(default=-1.0, ge=-1, le=1)
    consensus_c_min: Real = Field(default=0.70, ge=0, le=1)
    consensus_p_min: Real = Field(default=0.60, ge=0.5, le=1)
    max_opposite: Whole | None = Field(default=None, ge=0, le=8)
    weights: Mapping[str, Annotated[Real, Field(ge=0, le=1)]] = Field(
        default_factory=lambda: dict(WEIGHTS)
    )
    exit_on_flat: bool = False
    hold_bars: Whole | None = Field(default=None, ge=1, le=1_000_000)

    @model_validator(mode="before")
    @classmethod
    def _complete_weights(cls, data: Any) -> Any:
        given = data.get("weights") if isinstance(data, Mapping) else None
        if not isinstance(given, Mapping):
            return data
        unknown = [name for name in given if name not in WEIGHTS]
        if unknown:
            raise ValueError(
                f"weights: unknown head {unknown[0]!r}; the heads are {', '.join(WEIGHTS)}"
            )
        return {**data, "weights": {**WEIGHTS, **given}}

    @model_validator(mode="after")
    def _some_weight(self) -> "ConsensusConfig":
        if not math.fsum(self.weights.values()) > 0:
            raise ValueError("weights are all 0; at least one head must count")
        return self

    def rules(self) -> ConsensusRules:
        """The thresholds and weights as the consensus takes them."""
        return ConsensusRules(
            weights=dict(self.weights),
            quorum=self.quorum,
            p_min=self.p_min,
            c_min=self.c_min,
            weight_min=self.weight_min,
            score_min=self.score_min,
            consensus_c_min=self.consensus_c_min,
            consensus_p_min=self.consensus_p_min,
            max_opposite=self.max_opposite,
        )


class ExecutionConfig(Section):
    """Costs and stops. Stops are multiples of the average true range when the order was decided."""

    taker_fee_bps: Real = Field(default=5.0, ge=0, le=1000)
    slippage_bps: Real = Field(default=2.0, ge=0, le=1000)
    stop_atr: Real | None = Field(default=2.0, gt=0, le=100)
    take_profit_atr: Real | None = Field(default=None, gt=0, le=1000)
    time_stop_bars: Whole | None = Field(default=None, ge=1, le=1_000_000)
    time_stop_max_r: Real | None = Field(default=None, ge=-100, le=100)
    atr_length: Whole = Field(default=14, ge=2, le=200)


class AccountConfig(Section):
    """Money. ``position_fraction`` is the share of equity that a full target puts into one symbol."""

    initial_cash: Real = Field(default=100_000.0, gt=0, le=1e12)
    position_fraction: Real = Field(default=0.25, gt=0, le=10)
    max_gross_leverage: Real = Field(default=1.0, gt=0, le=100)


class RunConfig(Section):
    """Everything that decides the result of a run, apart from the data and the code."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    seed: Whole = Field(default=7, ge=0, le=2**31 - 1)
    data: DataConfig
    heads: HeadsConfig = Field(default_factory=HeadsConfig)
    consensus: ConsensusConfig = Field(default_factory=ConsensusConfig)
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig)
    account: AccountConfig = Field(default_factory=AccountConfig)
    targets: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _replayable(self) -> "RunConfig":
        self.rules()
        return self

    def rules(self) -> ReplayRules:
        """Account, costs and stops as the replay takes them."""
        return ReplayRules(
            initial_cash=self.account.initial_cash,
            position_fraction=self.account.position_fraction,
            max_gross_leverage=self.account.max_gross_leverage,
            taker_fee_bps=self.execution.taker_fee_bps,
            slippage_bps=self.execution.slippage_bps,
            stop_atr=self.execution.stop_atr,
            take_profit_atr=self.execution.take_profit_atr,
            time_stop_bars=self.execution.time_stop_bars,
            time_stop_max_r=self.execution.time_stop_max_r,
        )

    @property
    def simulation(self) -> SimulationSpec | None:
        """The simulated market that the run needs, or None."""
        simulated = self.data.simulated
        return None if simulated is None else simulated.spec(self.seed, self.data.timeframe)

    @property
    def instruments(self) -> tuple[InstrumentPair, ...]:
        """The instruments named, or those of the simulated market when none is named."""
        spec = self.simulation
        if self.data.instruments or spec is None:
            return self.data.instruments
        return tuple(_simulated_pair(symbol, spec.source) for symbol in spec.symbols)


def _simulated_pair(symbol: str, source: str) -> InstrumentPair:
    spot, perpetual = (
        InstrumentConfig(venue="simulated", market=market, symbol=symbol, source=source)
        for market in ("spot", "um_perp")
    )
    return InstrumentPair(
        signals=spot, traded=perpetual, funding=perpetual, series_from=(perpetual,)
    )


def midnight_ns(day: date) -> int:
    """The first moment of a UTC day, int64 ns."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_NS
