"""Every peer on the example works: seconds, and what each came to, side by side."""

from functools import partial

from rich.console import Console
from rich.table import Table

from ..timing import timed
from . import vectorbt_portfolio, vectorbt_single, vectorbt_sweep
from .environments import PEERS, Skipped, measure
from .memory import peak_memory
from .vectorbt_signals import engines
from .work import Outcome, portfolio_example, single_example, sweep_example

CONFIGURATIONS = 1_000


def main() -> None:
    """Entry point of ``python -m benchmarks.peers``."""
    single, sweep, portfolio = single_example(), sweep_example(CONFIGURATIONS), portfolio_example()
    few = sweep_example(2, bars=100)
    table = Table("work", "peer", "cells", "seconds", "M/s", "first final equity", "fills")

    def row(work: str, peer: str, cells: int, seconds: float, outcome: Outcome) -> None:
        speed = cells / seconds / 1e6
        equity = outcome.final_equity
        first = equity if isinstance(equity, float) else equity[0]
        figures = (f"{cells:,}", f"{seconds:.4g}", f"{speed:.4g}", f"{first:,.2f}")
        table.add_row(work, peer, *figures, f"{outcome.fills:,}")

    for engine in engines():
        run = partial(vectorbt_single.replay, single, engine)
        row("single", f"vectorbt {engine}", len(single.side), timed(run).best_s, run())
        for call_seq in ("default", "auto"):
            run = partial(vectorbt_portfolio.replay, portfolio, engine, call_seq=call_seq)
            name = f"vectorbt {engine}, call_seq {call_seq}"
            row("portfolio", name, portfolio.weight.size, timed(run).best_s, run())
        for chunk, collects in ((25, True), (50, True), (100, True), (50, False)):
            run = partial(
                vectorbt_sweep.sweep, sweep, engine, chunk=chunk, collects_garbage=collects
            )
            memory = peak_memory(run, partial(vectorbt_sweep.sweep, few, engine))
            name = f"vectorbt {engine}, {chunk} at a time{'' if collects else ', not collecting'}"
            name += f", {memory.peak_mb:,.0f} MB ({memory.before_mb:,.0f} before)"
            row("sweep", name, sweep.sides.size, timed(run, runs=2).best_s, run())
    for peer in PEERS:
        found = measure(peer, single)
        if isinstance(found, Skipped):
            print(f"{peer.name} skipped: {found.reason}")
        else:
            row("single", peer.name, found.bars, found.seconds, found.outcome)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
