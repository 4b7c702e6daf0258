"""What a run is made of: one tree of frozen sections, every key known and every range checked."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, model_validator

from datasets import SimulationSpec
from engine import ConfigError, ReplayRules, SymbolRules
from strategies import WEIGHTS, ConsensusRules

from .config_checks import check_contract, check_weights
from .config_data import (
    DataConfig,
    InstrumentConfig,
    InstrumentPair,
    SimulatedConfig,
)
from .config_features import FeaturesConfig, IndicatorFile, own_head_names
from .config_heads import HeadsConfig, own_names
from .config_rules import (
    CostsConfig,
    EntryConfig,
    ExitsConfig,
    LimitsConfig,
    MarginConfig,
    MeasuresConfig,
    SizingConfig,
    SymbolRulesConfig,
)
from .config_section import Label, Real, Section, Whole, midnight_ns

__all__ = [
    "ConsensusConfig",
    "DataConfig",
    "InstrumentConfig",
    "InstrumentPair",
    "Label",
    "OriginConfig",
    "Real",
    "RunConfig",
    "Section",
    "SimulatedConfig",
    "Whole",
    "midnight_ns",
]


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
    def _complete_weights(cls, data: Any, info: ValidationInfo) -> Any:
        given = data.get("weights") if isinstance(data, Mapping) else None
        if not isinstance(given, Mapping):
            return data
        known = (*WEIGHTS, *own_names(info))
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ValueError(
                f"weights: unknown head {unknown[0]!r}; the heads are {', '.join(known)}"
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


class OriginConfig(Section):
    """The trial of a sweep that a configuration was written out from.

    ``trial_hash`` is the hash of the trial's configuration (``config_file.trial_hash``): one that was
    changed afterwards has another.
    """

    sweep: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    trial: Whole = Field(ge=0)
    trial_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class RunConfig(Section):
    """Everything that decides the result of a run, apart from the data and the code.

    ``initial_cash`` is in settlement currency. ``costs``, ``exits``, ``sizing``, ``limits``, ``margin``
    and ``symbol_rules`` are those of ``engine.rules``, key by key. ``indicators`` are files with indicators
    of the user's own (see docs/features.md). ``origin`` and ``features`` decide nothing: the one says
    which trial of which sweep the configuration was, the other which matrices can be built beside it.
    """

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    seed: Whole = Field(default=7, ge=0, le=2**31 - 1)
    initial_cash: Real = 100_000.0
    data: DataConfig
    heads: HeadsConfig = Field(default_factory=HeadsConfig)
    consensus: ConsensusConfig = Field(default_factory=ConsensusConfig)
    entry: EntryConfig = Field(default_factory=EntryConfig)
    measures: MeasuresConfig = Field(default_factory=MeasuresConfig)
    costs: CostsConfig = Field(default_factory=CostsConfig)
    exits: ExitsConfig = Field(default_factory=ExitsConfig)
    sizing: SizingConfig = Field(default_factory=SizingConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    margin: MarginConfig = Field(default_factory=MarginConfig)
    symbol_rules: Mapping[Label, SymbolRulesConfig] = Field(default_factory=dict)
    targets: str | None = Field(default=None, min_length=1)
    indicators: tuple[IndicatorFile, ...] = ()
    features: FeaturesConfig = Field(default_factory=FeaturesConfig)
    origin: OriginConfig | None = None

    @model_validator(mode="after")
    def _replayable(self) -> "RunConfig":
        try:
            self.rules()
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("rules.")) from None
        try:
            # Reading a configuration runs no file: indicators of the user's own are looked up later.
            self.heads.instances(only_listed=not self.indicators, with_files=False)
            check_weights(own_head_names(self.heads.files), self.consensus.weights)
            self.features.check_steps(self.data.timeframe)
            check_contract(self.instruments, self.margin.rules().contract)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        traded = [pair.symbol for pair in self.instruments]
        for symbol in self.symbol_rules:
            if symbol not in traded:
                raise ValueError(
                    f"symbol_rules.{symbol}: nothing of that name is traded here; the symbols are "
                    f"{', '.join(traded)}"
                )
        if self.targets is not None and self.entry.kind != "market":
            raise ValueError(
                f"entry.kind={self.entry.kind} is for decisions of the consensus; with targets, state "
                "order_kind and order_price in their file"
            )
        return self

    def rules(self) -> ReplayRules:
        """Account, costs, exits, sizing, limits and margin as the replay takes them."""
        return ReplayRules(
            initial_cash=self.initial_cash,
            costs=self.costs.rules(),
            exits=self.exits.rules(),
            sizing=self.sizing.rules(),
            limits=self.limits.rules(),
            margin=self.margin.rules(),
        )

    def rules_of_symbols(self) -> dict[str, SymbolRules]:
        """How the venue lets each symbol be traded, where the configuration says so."""
        return {symbol: section.rules() for symbol, section in self.symbol_rules.items()}

    @property
    def simulation(self) -> SimulationSpec | None:
        """The simulated market that the run needs, or None."""
        if self.data.simulated is None:
            return None
        return self.data.simulated.spec(
            self.seed, self.data.timeframe, keep_minutes=self.data.fine_timeframe is not None
        )

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
