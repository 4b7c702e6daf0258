"""Random rules, each theme with its own features switched on often."""

import math
from dataclasses import dataclass

from engine import (
    Costs,
    Exits,
    FeeTier,
    Limits,
    Margin,
    MarginTier,
    ReplayRules,
    Sizing,
    SymbolRules,
)

from .case import Chooser

THEMES = ("costs", "exits", "orders", "limits", "margin", "parts")
"""``parts`` are orders, most of them limits, that participation cuts."""


@dataclass(frozen=True)
class RuleChoices:
    """Chooses rules; ``theme`` says which part of the page is switched on often.

    Coarse rules are dyadic: levels come out exact and are met exactly.
    """

    chooser: Chooser
    theme: str
    is_coarse: bool
    contract: str
    cash: float
    price: float
    volatility: float

    def on(self, *themes: str) -> bool:
        """Whether a feature of ``themes`` is in force."""
        return self.chooser.pick((False, True) if self.theme in themes else (False,) * 5 + (True,))

    def some(self, theme: str, *options: float) -> float | None:
        """One of ``options`` or nothing."""
        return self.chooser.pick(options) if self.on(theme) else None

    def costs(self) -> Costs:
        pick, coarse = self.chooser.pick, self.is_coarse
        tiers: tuple[FeeTier, ...] = ()
        if self.on("costs"):
            tiers = (
                FeeTier(volume_from=0.77 * self.cash, maker_fee_bps=1.0, taker_fee_bps=4.0),
                FeeTier(volume_from=5.01 * self.cash, maker_fee_bps=-0.5, taker_fee_bps=3.0),
            )
        return Costs(
            taker_fee_bps=pick((0.0, 0.0, 9.765625) if coarse else (0.0, 5.0, 60.0)),
            maker_fee_bps=pick((0.0, 0.0, 9.765625) if coarse else (0.0, 2.0, -1.0)),
            fee_tiers=tiers,
            slippage_bps=pick((0.0, 0.0, 156.25) if coarse else (0.0, 2.0, 50.0)),
            slippage_atr=pick((0.0625, 0.5)) if self.on("costs") else 0.0,
            impact=pick((0.5, 2.0)) if self.on("costs") else 0.0,
            participation=pick((0.03125, 0.0625, 0.125))
            if self.theme == "parts"
            else self.some("orders", 0.03125, 0.25, 1.0)
            if pick((False, True))
            else self.some("costs", 0.03125, 0.25, 1.0),
            borrow_annual=pick((0.5, 8.76)) if self.on("costs") else 0.0,
        )

    def exits(self) -> Exits:
        pick, some = self.chooser.pick, self.some
        often_none = ("none", "none", "atr", "frac")
        stop = pick(often_none if self.theme == "orders" else ("atr", "atr", "frac", "none"))
        target = pick(("none", "atr", "frac", "r") if stop != "none" else ("none", "atr", "frac"))
        trail = pick(("atr", "frac")) if self.on("exits") else "none"
        reach = 0.125 if self.is_coarse else min(self.volatility, 0.2)
        multiples = (2.0, 4.0) if self.theme == "parts" else (0.5, 1.0, 2.0)
        rungs = (((0.5, 0.5),), ((0.5, 0.25), (1.0, 0.25)), ((0.25, 0.3), (1.0, 0.3), (2.0, 0.4)))
        return Exits(
            stop_atr=pick(multiples) if stop == "atr" else None,
            stop_frac=pick(multiples) * reach if stop == "frac" else None,
            trail_atr=pick(multiples) if trail == "atr" else None,
            trail_frac=pick(multiples) * reach if trail == "frac" else None,
            trail_bars=pick((None, 1, 3)) if trail != "none" else None,
            break_even_r=some("exits", 0.125, 0.25, 0.5) if stop != "none" else None,
            ladder=pick(rungs) if stop != "none" and self.on("exits", "parts") else (),
            take_profit_atr=pick(multiples) if target == "atr" else None,
            take_profit_frac=pick((0.5, 1.0, 2.0)) * reach if target == "frac" else None,
            take_profit_r=pick((0.5, 1.0, 3.0)) if target == "r" else None,
            take_profit_is_limit=self.on("exits"),
            time_stop_bars=pick((1, 2, 5)) if self.on("exits") else None,
            time_stop_max_r=some("exits", -0.5, 0.0, 0.5) if stop != "none" else None,
            limit_bars=pick((None, 1, 2, 4)),
        )

    def margin(self) -> Margin:
        pick = self.chooser.pick
        modes = (
            ("cross", "isolated") if self.contract == "inverse" else ("cross", "isolated", "none")
        )
        mode = pick((*modes, "cross") if self.theme == "limits" else modes)
        unit = 0.5 * self.cash
        tables = (
            (MarginTier(notional_to=math.inf, maintenance=0.015625, max_leverage=50.0),),
            (
                MarginTier(notional_to=unit, maintenance=0.03125, max_leverage=20.0),
                MarginTier(notional_to=4 * unit, maintenance=0.0625, max_leverage=10.0),
                MarginTier(notional_to=math.inf, maintenance=0.125, max_leverage=4.0),
            ),
            (
                MarginTier(notional_to=unit, maintenance=0.03125, max_leverage=20.0),
                MarginTier(notional_to=1.5 * unit, maintenance=0.25, max_leverage=2.0),
            ),
            (
                MarginTier(notional_to=0.5 * unit, maintenance=0.03125, max_leverage=20.0),
                MarginTier(notional_to=math.inf, maintenance=0.25, max_leverage=2.0),
            ),
        )
        return Margin(
            contract=self.contract,
            mode=mode,
            leverage=pick((2.0, 4.0, 20.0)),
            tiers=pick(tables[1:] if self.theme == "limits" else tables),
            liquidation_fee_bps=pick((0.0, 50.0, 156.25)),
        )

    def sizing_and_limits(self, margin: Margin, exits: Exits) -> tuple[Sizing, Limits]:
        pick, some = self.chooser.pick, self.some
        most = margin.tiers[0].max_leverage
        if margin.mode == "isolated":
            most = min(most, margin.leverage)
        if margin.mode == "none":
            most = 1.0
        wanted = {"margin": (2.0, 8.0, 8.0), "parts": (0.25, 0.5, 1.0)}.get(
            self.theme, (0.25, 0.5, 1.0, 4.0)
        )
        fraction = min(pick(wanted), most)
        methods = ("fraction", "fraction", "risk", "volatility")
        method = pick(methods if exits.has_stop else ("fraction", "fraction", "volatility"))
        sizing = Sizing(
            method=method,
            position_fraction=fraction,
            risk_frac=pick((0.015625, 0.0625, 0.5)),
            volatility_target=pick((0.25, 2.0)),
            kelly=some("limits", 0.25, 1.0),
            kelly_max=pick((0.25, 1.0)),
        )
        has_drawdown = self.on("limits")
        max_positions = some("limits", 1, 2)
        limits = Limits(
            max_gross=min(fraction * pick((1.0, 1.5, 4.0)), most),
            max_position=some("limits", 0.25, 0.5, min(1.5, most)),
            max_positions=None if max_positions is None else int(max_positions),
            max_heat=some("limits", 0.015625, 0.0625, 0.25) if exits.has_stop else None,
            max_sector=some("limits", 0.25, 0.5, 1.5),
            max_correlation=some("limits", -0.25, 0.3, 0.8),
            correlation_bars=pick((720, 33, 40)),
            drawdown_start=pick((0.0, 0.0625)) if has_drawdown else None,
            drawdown_halt=pick((0.125, 0.5)) if has_drawdown else None,
        )
        return sizing, limits

    def rules(self) -> ReplayRules:
        exits, margin = self.exits(), self.margin()
        sizing, limits = self.sizing_and_limits(margin, exits)
        return ReplayRules(
            initial_cash=self.cash,
            costs=self.costs(),
            exits=exits,
            sizing=sizing,
            limits=limits,
            margin=margin,
        )

    def symbol_rules(self, names: tuple[str, ...], unit: float) -> dict[str, SymbolRules]:
        """Ticks, lots, least notionals and sectors; some symbols have no rules at all."""
        pick = self.chooser.pick
        if not pick((False, True)):
            return {}
        ticks = (0.0, 0.5, 1.0) if self.is_coarse else (0.0, 0.05, 1.0)
        return {
            name: SymbolRules(
                tick_size=pick(ticks),
                lot_step=pick((0.0, 0.001, 0.125)) * unit,
                min_notional=pick((0.0, 0.0, 0.02, 0.25)) * self.cash,
                sector=pick((None, "one", "two")),
            )
            for name in names
            if pick((True, True, True, False))
        }
