"""The same work done by other backtesters: what the engine's speed is compared with.

``work`` says what a piece of work is and makes examples. ``vectorbt_single``, ``vectorbt_sweep`` and
``vectorbt_portfolio`` run in our environment, on either of vectorbt's engines. The event-driven tools
under ``own_environment`` cannot share it: ``environments`` makes each a virtual environment and runs it
there. Every peer does the work end to end: target sides to orders, simulation, equity curve, total
return, Sharpe ratio and maximum drawdown. ``python -m benchmarks.peers`` prints all of them.

None of them knows funding, margin or liquidation, so the work leaves these out.
"""
