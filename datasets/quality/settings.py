"""The thresholds of the checks; every one is stated in the JSON of a report."""

from dataclasses import dataclass

from engine import DAY_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """From where on something counts as a defect.

    Price spikes: an open or a close is one when it lies ``spike_least`` (log price) and
    ``spike_scales`` local scales beyond both neighbours; a high or a low when it lies ``wick_least``
    and ``wick_scales`` beyond the body of its bar, because real crashes leave wicks. The scale is
    1.4826 times the median absolute log return of ``spike_neighbours`` bars on each side, and never
    below ``spike_scale_floor``. The first and the last bar have one neighbour only and need
    ``spike_edge_factor`` times as many scales.

    Symbol reuse: the price after a hole of ``reuse_least_hole_ns`` is at least ``reuse_factor`` times
    the price before it, or one over that, and further away than ``reuse_scales`` daily scales times
    the square root of the days.

    Listing price: at least ``flat_start_least_run`` equal flat bars at the start, none of which has more
    than ``flat_start_volume`` of the usual volume after them.

    Gaps: the other symbols of the venue, market and kind that traded before and after a gap are its
    witnesses. A gap is common to the venue when more than ``witness_share`` of at least
    ``least_witnesses`` lack its rows. A gap that is not, and is at least ``delisted_after_ns`` long,
    is a delisting. What lies before the first or after the last row of a series says nothing about its
    listing where ``shared_edge_least`` data sets of the source begin or end at that time or hold that
    number of rows, or where it is the turn of a month: there a recording or a file begins or ends. Nor does
    it where fewer than ``least_witnesses`` symbols of the source begin earlier.
    """

    spike_least: float = 0.05
    spike_scales: float = 20.0
    wick_least: float = 0.2
    wick_scales: float = 120.0
    spike_neighbours: int = 24
    spike_scale_floor: float = 1e-4
    spike_edge_factor: float = 4.0
    reuse_least_hole_ns: int = DAY_NS
    reuse_factor: float = 5.0
    reuse_scales: float = 6.0
    zero_volume_least_run: int = 1
    stale_tail_least_run: int = 3
    flat_start_least_run: int = 2
    flat_start_volume: float = 1e-3
    regime_least_run: int = 3
    capture_least_rows: int = 3
    least_witnesses: int = 1
    shared_edge_least: int = 5
    witness_share: float = 0.5
    delisted_after_ns: int = 7 * DAY_NS
    survivors_least: int = 20
    survivors_least_ns: int = 365 * DAY_NS
    live_least_series: int = 5
    live_volume_ratio: float = 0.5
