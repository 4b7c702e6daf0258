"""The table of docs/metrics.md, from ``METRICS``."""

from collections.abc import Iterable

from .metric import GROUPS, Metric


def metrics_table(metrics: Iterable[Metric]) -> str:
    """One Markdown table with a row for each metric, in the order of its groups."""
    rows = [
        "| metric | unit | what it is | the number of | they do otherwise |",
        "|---|---|---|---|---|",
    ]
    listed = tuple(metrics)
    for group in GROUPS:
        rows.append(f"| **{group}** | | | | |")
        rows += [_row(metric) for metric in listed if metric.group == group]
    return "\n".join(rows) + "\n"


def _row(metric: Metric) -> str:
    cells = (
        f"`{metric.name}`",
        metric.unit,
        metric.text,
        ", ".join(metric.agrees_with),
        metric.peers,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
