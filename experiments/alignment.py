"""Where the rows of one grid lie on another."""

from engine import Bool1D, Int1D, Panel


def panel_rows(panel: Panel, open_time: Int1D) -> tuple[Int1D, Bool1D]:
    """Rows of the panel at which those of ``open_time`` that lie in it open, and which those are."""
    rows = (open_time - panel.open_time[0]) // panel.step_ns
    inside = (rows >= 0) & (rows < len(panel))
    return rows[inside], inside
