"""Random and written replays for tests: markets, decisions, settlements and rules.

``chosen_case`` makes a case from choices; ``replay_cases`` lets Hypothesis choose, ``seeded_case`` a
seed. *Coarse* cases have whole prices and dyadic rules, so that levels are met exactly.
"""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from .case import Chooser, DrawnChooser, ReplayCase, SeededChooser, agreed, oracle_of, replay_of
from .decisions import random_decisions, random_funding
from .markets import STEPS, Shape, random_market, random_panel
from .rules import THEMES, RuleChoices
from .written import NO_COSTS, Row, facts, written_case, written_panel

__all__ = [
    "NO_COSTS",
    "THEMES",
    "ReplayCase",
    "Row",
    "agreed",
    "chosen_case",
    "facts",
    "oracle_of",
    "random_decisions",
    "random_funding",
    "random_panel",
    "replay_cases",
    "replay_of",
    "seeded_case",
    "written_case",
    "written_panel",
]


def chosen_case(
    chooser: Chooser, theme: str, *, is_coarse: bool, symbols: Sequence[int] | None = None
) -> ReplayCase:
    """A case with the features of ``theme`` switched on often, others now and then.

    ``symbols`` are the numbers of symbols to choose from; None for few.
    """
    pick = chooser.pick
    contract = pick(("linear", "linear", "inverse"))
    is_inverse = contract == "inverse"
    cash, price = 8.0 if is_inverse else 1024.0, 100.0
    quantity = cash * price if is_inverse else cash / price
    timeframe, sub_bars = pick(tuple(STEPS) if theme != "limits" else (("1h", 1), ("1d", 2)))
    volatility = pick((0.03, 0.1, 0.2, 0.5) if theme == "margin" else (0.01, 0.03))
    bars = {"limits": (38, 50), "parts": (20, 50)}
    shape = Shape(
        bars=pick(bars.get(theme, (5, 8, 12, 20, 30))),
        symbols=pick(symbols or ((1, 2, 3, 4) if theme != "limits" else (2, 3, 4))),
        timeframe=timeframe,
        sub_bars=sub_bars,
        volatility=volatility,
        jump=pick((1.0, 4.0)) if theme == "margin" else 1.0,
        gap_share=pick((0.0, 0.1, 0.3)),
        unresolved_share=pick((0.0, 0.2)),
        lists_late=pick((False, True)),
        relists=pick((False, False, False, True)),
        has_mark=pick((False, True)),
        common_share=pick((0.0, 0.5, 0.95)),
        is_coarse=is_coarse,
        unit=quantity,
    )
    choices = RuleChoices(chooser, theme, is_coarse, contract, cash, price, volatility)
    rules = choices.rules()
    rates = {"limits": (0.3, 0.9), "parts": (0.05, 0.1, 0.3)}
    rate = pick(rates.get(theme, (0.1, 0.3, 0.9)))
    kinds = theme in ("orders", "parts") or pick((False, False, True))
    styles = choices.on("orders")
    seed = chooser.seed()
    panel, fine = random_market(shape, np.random.default_rng(seed))
    return ReplayCase(
        panel=panel,
        decisions=random_decisions(
            panel, seed, rate, has_styles=styles, has_kinds=kinds, reach=volatility,
            limit_share=0.7 if theme == "parts" else 0.4, is_coarse=is_coarse,
        ),
        funding=random_funding(
            panel, seed, sub_step_ns=panel.step_ns // sub_bars,
            heavy=pick((1.0, 30.0) if theme == "margin" else (1.0,)),
        ),
        rules=rules,
        fine=fine,
        symbol_rules=choices.symbol_rules(panel.symbols, quantity),
    )  # fmt: skip


@st.composite
def replay_cases(
    draw: st.DrawFn,
    theme: str | None = None,
    is_coarse: bool | None = None,
    symbols: Sequence[int] | None = None,
) -> ReplayCase:
    """Cases of one theme, or of any."""
    chooser = DrawnChooser(draw)
    coarse = chooser.pick((False, True)) if is_coarse is None else is_coarse
    theme = theme or chooser.pick(THEMES)
    return chosen_case(chooser, theme, is_coarse=coarse, symbols=symbols)


def seeded_case(seed: int, symbols: Sequence[int] | None = None) -> ReplayCase:
    """Case number ``seed``; every theme in turn, every other round coarse."""
    theme = THEMES[seed % len(THEMES)]
    is_coarse = seed // len(THEMES) % 2 == 1
    return chosen_case(SeededChooser(seed), theme, is_coarse=is_coarse, symbols=symbols)
