"""A comparison as one self-contained HTML page."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from datasets.durable import replace_file

from ..formats import formatted, metric_label
from ..pages.sampling import extreme_rows
from .comparison import Comparison, value_text
from .curves import drawdowns_of
from .labels import headline_rows, interval_of, interval_text, label, sentence, signed, units_of

TEMPLATE: Final = "page.html.j2"
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                  "#56b4e9", "#8c6d1f", "#7f3fbf", "#5c6773", "#a50f15")  # fmt: skip
"""Okabe and Ito's, then further ones; dashes tell apart what colours cannot."""
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
_NS_PER_MS: Final = 1_000_000


def write_page(found: Comparison, path: Path | str) -> Path:
    """Write the page to ``path`` and return it. DataError where it cannot be written."""
    path = Path(path)
    replace_file(path, render(found).encode())
    return path


def render(found: Comparison) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("experiments", "comparison"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        runs=[
            {
                "label": label(number),
                "run_id": record.run_id,
                "name": record.content["name"],
                "colour": COLOURS[number],
                "text": f"{', '.join(record.content['symbols'][:6])}"
                f"{' …' if len(record.content['symbols']) > 6 else ''} · "
                f"{record.content['timeframe']} · {record.content['start_time']} to "
                f"{record.content['end_time']} UTC",
                "simulated": record.content["simulated"],
            }
            for number, record in enumerate(found.records)
        ],
        config=[
            (row.key, list(zip(map(value_text, row.values), row.came_from, strict=True)))
            for row in found.config
        ],
        inputs=_inputs(found),
        metrics=_metrics(found),
        sentence=sentence(found),
        figures=Markup(json.dumps(_figures(found)).replace("<", "\\u003c")),
        plotly=Markup(get_plotlyjs().replace("</script", "<\\/script")),
    )


def _inputs(found: Comparison) -> list[tuple[str, str]]:
    rows = []
    for part in ("data", "code", "versions"):
        told = [
            f"{label(1 + number)}: {', '.join(row.key for row in getattr(one, part))}"
            for number, one in enumerate(found.differences)
            if getattr(one, part)
        ]
        rows.append((part, "; ".join(told) or "equal"))
    return rows


def _metrics(found: Comparison) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """Label, values by run, and for each of the others its difference and the bounds of it."""
    units = units_of(found)
    rows = []
    for name, values in headline_rows(found):
        unit, own = units[name], values[0]
        against = []
        for other, its in enumerate(values[1:], start=1):
            interval = interval_of(found, other, name)
            change = None if own is None or its is None else its - own
            bounds = "" if interval is None else interval_text(interval, unit)
            against.append((signed(change, unit), bounds))
        texts = [formatted(value, unit) for value in values]
        rows.append((metric_label(name, unit), texts, against))
    return rows


def _figures(found: Comparison) -> dict[str, Any]:
    """Growth, drawdown and growth against the first run, as Plotly traces."""
    curves = found.curves
    time = curves.time_ns / _NS_PER_MS
    growth, depth, against = [], [], []
    for number in range(len(found.records)):
        path = curves.growth[:, number]
        style = {
            "name": f"{label(number)} {found.records[number].content['name']}",
            "line": {
                "color": COLOURS[number],
                "dash": DASHES[number % len(DASHES)],
                "width": 1.6,
            },
        }
        growth.append(_trace(time, path, style, ".3f"))
        depth.append(_trace(time, -100.0 * drawdowns_of(path), style, ".2f"))
        if number:
            first = curves.growth[:, 0]
            ratio = np.where(first > 0, path / np.where(first > 0, first, 1.0), np.nan)
            against.append(_trace(time, ratio, style, ".3f"))
    return {"growth": growth, "depth": depth, "against": against}


def _trace(
    time: np.ndarray, values: np.ndarray, style: dict[str, Any], digits: str
) -> dict[str, Any]:
    known = np.where(np.isfinite(values), values, 0.0)
    kept = extreme_rows(known)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": time[kept].tolist(),
        "y": [value if np.isfinite(value) else None for value in values[kept].tolist()],
        "hovertemplate": "%{y:" + digits + "}",
        **style,
    }
