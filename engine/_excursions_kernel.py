"""How far prices went for and against each trade (docs/accounting.md §6, Excursions)."""

from typing import Final, NamedTuple

from .arrays import Bool2D, Float1D, Float2D, Int1D, Int8Array1D
from .jit import kernel
from .ledger import PHASES

OPEN: Final = PHASES.index("open")
CLOSE: Final = PHASES.index("close")


class TradeSpans(NamedTuple):
    """Where trades begin and end, ``(trades,)``.

    ``symbol`` is a column of the prices, ``side`` ±1; bar, phase (code of ``PHASES``) and price of the
    first fill (``entry_…``) and of the last (``exit_…``); an entry counts as at the open only at that of
    its bar.
    """

    symbol: Int1D
    side: Int8Array1D
    entry_bar: Int1D
    exit_bar: Int1D
    entry_phase: Int8Array1D
    exit_phase: Int8Array1D
    entry_price: Float1D
    exit_price: Float1D


@kernel
def excursions_kernel(
    trades: TradeSpans,
    open_: Float2D,
    high: Float2D,
    low: Float2D,
    close: Float2D,
    tradable: Bool2D,
    mae_frac: Float1D,
    mfe_frac: Float1D,
) -> None:
    """Write the adverse and favourable excursions of each trade, fractions of its first price, not below 0.

    Prices and ``tradable`` are ``(T, S)``. They take in the last fill and what the position was held
    through: whole bars between entry and exit, of the entry bar the close (the whole bar when entered at an
    open), of the exit bar the open (the whole bar when closed at its close). Bars that are not
    tradable have no prices.
    """
    for i in range(len(trades.symbol)):
        s, first, last = trades.symbol[i], trades.entry_bar[i], trades.exit_bar[i]
        top = bottom = trades.exit_price[i]
        if first != last:
            if trades.entry_phase[i] == OPEN:
                top, bottom = max(top, high[first, s]), min(bottom, low[first, s])
            else:
                top, bottom = max(top, close[first, s]), min(bottom, close[first, s])
            for t in range(first + 1, last):
                if tradable[t, s]:
                    top, bottom = max(top, high[t, s]), min(bottom, low[t, s])
            if tradable[last, s]:
                top, bottom = max(top, open_[last, s]), min(bottom, open_[last, s])
                if trades.exit_phase[i] == CLOSE:
                    top, bottom = max(top, high[last, s]), min(bottom, low[last, s])
        price = trades.entry_price[i]
        rise, fall = max(0.0, (top - price) / price), max(0.0, (price - bottom) / price)
        mfe_frac[i] = rise if trades.side[i] > 0 else fall
        mae_frac[i] = fall if trades.side[i] > 0 else rise
