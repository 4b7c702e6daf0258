"""The kernel that a thread calls: some configurations, one after the other."""

from ..arrays import Records1D
from ..jit import kernel
from .loop import shared_kernel
from .plan import plan_together_kernel
from .single import single_kernel
from .tables import SUMS_KEPT, TOGETHER


@kernel(nogil=True)
def sweep_kernel(
    market: Records1D,
    decided: Records1D,
    rules: Records1D,
    work: Records1D,
    totals: Records1D,
) -> None:
    """Replay configurations ``0 … len(rules) − 1`` into ``totals`` and, from ``work.at_edge`` on,
    sums at edges.

    ``market``, ``decided`` and ``work`` are one record each.
    """
    first = work[0].at_edge
    for k in range(len(rules)):
        if work[0].symbols == 1 and k % TOGETHER == 0:
            stop = min(k + TOGETHER, len(rules))
            plan_together_kernel(market[0], decided[0], k, stop, rules)
        work[0].at_edge = first + k * work[0].edge_count * SUMS_KEPT * 8
        if work[0].symbols == 1:
            single_kernel(market[0], decided[0], k, rules[k], work[0], totals[k])
        else:
            shared_kernel(market[0], decided[0], k, rules[k], work[0], totals[k])
    work[0].at_edge = first
