"""The coverage of data sets as a page: what lacks and why, a picture for each kind, the findings."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from datasets import time_text
from datasets.quality import QualityReport
from engine import Float1D

from ..pages import Block, Cell, Chart, Document, Fold, Number, Section, Table, Text, Tile, Tiles
from ..pages.plots import axis, time_axis
from .picture import PRESENT, STATES, Cause, Coverage, DefectList, Group, Row, coverage_of

ROWS_SHOWN: Final = 40
"""Data sets of one picture; of more in a group the worst are shown, and all of them are folded."""
WORST_SHOWN: Final = 20
"""Data sets in the table at the top."""
LABEL_LENGTH: Final = 24
"""Characters in a line beside a picture that leave room for it on a phone."""
LINE_HEIGHT: Final = 11
"""Of each line of a name beside a picture; a data set takes GAP_HEIGHT more."""
GAP_HEIGHT: Final = 10
LEGEND_HEIGHT: Final = 18
HOVER_WIDTH: Final = 60
LOOKS: Final[Mapping[str, tuple[str, str, float]]] = {
    PRESENT: ("@hue0/0.75", "", 0.46),
    "outage": ("@hue1", "", 0.72),
    "download_hole": ("@down", "+", 0.72),
    "delisted": ("@hue8", "-", 0.46),
    "before_listing": ("@muted/0.35", "", 0.2),
    "no_session": ("@hue5/0.5", ".", 0.46),
    "unknown": ("@hue3", "|", 0.72),
    "outside": ("@muted/0.25", "", 0.08),
}
"""Colour, hatch and height (of the row's) of each state: no two are told apart by colour alone.

Hatches run along the axes: a browser prints a hatch as a picture, and oblique ones make a PDF 40 times
as large.
"""
_NS_PER_MS: Final = 1_000_000


def coverage_document(report: QualityReport) -> Document:
    """The page of a check of data."""
    shown = coverage_of(report)
    sections = [Section(name="overview", title="Overview", blocks=tuple(_overview(shown)))]
    sections += [_group_section(number, group) for number, group in enumerate(shown.groups, 1)]
    sections.append(_findings_section(shown.defects))
    return Document(
        title="Data coverage",
        subtitle=f"{_counted(shown.datasets, 'data set')}, {shown.rows:,} rows. Times are UTC.",
        verdict=(Text(paragraphs=(_headline(shown),)),),
        tiles=Tiles(
            tiles=(
                Tile(label="Data sets", value=_count(shown.datasets)),
                Tile(label="Rows", value=_count(shown.rows)),
                Tile(
                    label="Rows missing",
                    value=_count(shown.missing),
                    note="between first and last row",
                ),
                Tile(
                    label="Findings",
                    value=_count(sum(len(one.findings) + one.hidden for one in shown.defects)),
                    note=f"of {_counted(len(shown.defects), 'kind')}",
                ),
                Tile(label="Refused files", value=_count(len(shown.refusals))),
            )
        ),
        sections=tuple(sections),
    )


def _headline(shown: Coverage) -> str:
    if not shown.datasets:
        return "No data set was looked at."
    rows = [row for group in shown.groups for row in group.rows]
    lacking = sum(row.missing > 0 for row in rows)
    told = sum(row.findings > 0 for row in rows)
    lacks = "No row is missing"
    if lacking:
        sets = _counted(len(rows), "data set")
        lacks = f"{_counted(shown.missing, 'row')} missing in {lacking} of {sets}"
    found = f"findings about {told} of them" if told else "nothing was found in the rows"
    return f"{lacks}; {found}."


def _overview(shown: Coverage) -> Iterator[Block]:
    if shown.refusals:
        yield Table(
            name="refused",
            caption="Refused files",
            columns=("file", "why"),
            rows=tuple(
                (one.path.name, ": ".join(filter(None, (one.defect, one.message))))
                for one in shown.refusals
            ),
        )
    if shown.causes:
        yield Table(
            name="causes",
            caption="Gaps by cause",
            columns=("cause", "gaps", "data sets", "rows missing"),
            rows=tuple(map(_cause_row, shown.causes)),
            note="A gap has the cause that its neighbours show: what others of the venue lack too is "
            "an outage. Rows before the first and after the last of a data set count here, not above.",
        )
    rows = [row for group in shown.groups for row in group.rows if row.missing or row.findings]
    if rows:
        worst = sorted(rows, key=_badness)[:WORST_SHOWN]
        more = len(rows) - len(worst)
        yield Table(
            name="worst",
            caption="Data sets that lack most rows, then those with most findings",
            columns=("data set", "missing", "gaps", "findings"),
            rows=tuple(
                (row.key, _count(row.missing), _count(sum(row.gaps.values())), _count(row.findings))
                for row in worst
            ),
            note=f"{more} more are under their kinds below." if more else "",
        )
    if not shown.causes and not rows:
        yield Text(paragraphs=("No gap, and nothing found.",))


def _badness(row: Row) -> tuple[int, int, str]:
    return -row.missing, -row.findings, row.key


def _cause_row(cause: Cause) -> tuple[Cell, ...]:
    return (
        STATES[cause.state],
        _count(cause.gaps),
        _count(cause.datasets),
        _count(cause.rows),
    )


def _gaps_text(row: Row) -> str:
    return ", ".join(f"{number} {STATES[state]}" for state, number in row.gaps.items()) or "none"


def _group_section(number: int, group: Group) -> Section:
    place = f"{group.place}, " if group.place else ""
    rows, name = group.rows, f"kind-{number}"
    blocks: list[Block] = []
    if len(rows) <= ROWS_SHOWN:
        blocks.append(_chart(name, group.title, group, rows))
    else:
        worst = sorted(sorted(rows, key=_badness)[:ROWS_SHOWN], key=rows.index)
        title = f"{group.title}: {ROWS_SHOWN} of {len(rows)} data sets, those with most missing or found"
        blocks.append(_chart(name, title, group, worst))
        parts = [rows[at : at + ROWS_SHOWN] for at in range(0, len(rows), ROWS_SHOWN)]
        blocks.append(
            Fold(
                summary=f"All {len(rows)} data sets, in order of their names",
                blocks=tuple(
                    _chart(f"{name}-{at}", f"{part[0].symbol} to {part[-1].symbol}", group, part)
                    for at, part in enumerate(parts, 1)
                ),
            )
        )
    return Section(
        name=f"data-{number}",
        title=group.title,
        lead=f"{place}{_counted(len(rows), 'data set')}, "
        f"{time_text(group.start_ns)} to {time_text(group.end_ns)}.",
        blocks=tuple(blocks),
    )


def _chart(name: str, title: str, group: Group, rows: Sequence[Row]) -> Chart:
    missing = sum(row.missing for row in rows)
    worst = min(rows, key=_badness)
    lacks = f"{_counted(missing, 'row')} missing" if missing else "No row is missing"
    most = f", most of {worst.symbol} ({worst.missing:,})" if missing and len(rows) > 1 else ""
    labels = [_label(row) for row in rows]
    lines = max(label.count("\n") + 1 for label in labels)
    data = (*_state_traces(rows), *_mark_traces(rows))
    return Chart(
        name=name,
        title=title,
        text=f"A line for each of {_counted(len(rows), 'data set')}, from the first to the last row of the "
        f"group: what is there, and why something is not. {lacks}{most}.",
        note="Very short gaps are drawn wider than they are, days without a session only where they are "
        "wide enough to be seen. A triangle stands where findings begin.",
        # On a phone the legend has a line for each trace.
        height=110 + LEGEND_HEIGHT * len(data) + (GAP_HEIGHT + LINE_HEIGHT * lines) * len(rows),
        data=data,
        layout={
            "barmode": "overlay",
            "xaxis": time_axis(
                range=[group.start_ns / _NS_PER_MS, group.end_ns / _NS_PER_MS],
                title={"text": "UTC"},
            ),
            "yaxis": axis(
                "",
                range=[len(rows) - 0.4, -0.6],
                tickvals=list(range(len(rows))),
                ticktext=labels,
                showgrid=False,
                zeroline=False,
            ),
        },
        table=Table(
            name=f"{name}-rows",
            caption="The numbers behind it",
            columns=("data set", "first", "until", "rows", "missing", "findings", "gaps"),
            rows=tuple(map(_table_row, rows)),
        ),
    )


def _table_row(row: Row) -> tuple[Cell, ...]:
    return (
        " · ".join(filter(None, (row.symbol, row.place))),
        time_text(row.first_ns),
        time_text(row.end_ns),
        _count(row.rows),
        _count(row.missing),
        _count(row.findings),
        _gaps_text(row),
    )


def _label(row: Row) -> str:
    """Symbol and place, in as many lines as it takes to show them whole."""
    lines = [" ".join(filter(None, (row.symbol, row.place)))]
    for further in ([row.symbol, row.place], [row.symbol, *row.place.split(" · ")]):
        if max(map(len, lines)) > LABEL_LENGTH:
            lines = further
    return "\n".join(
        line if len(line) <= LABEL_LENGTH else f"{line[: LABEL_LENGTH - 1]}…" for line in lines
    )


def _state_traces(rows: Sequence[Row]) -> Iterator[Mapping[str, Any]]:
    for state, title in STATES.items():
        found = [
            (at, one) for at, row in enumerate(rows) for one in row.stretches if one.state == state
        ]
        if not found:
            continue
        colour, hatch, height = LOOKS[state]
        solid = colour.partition("/")[0]
        yield {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "y": _floats([at for at, _ in found]),
            "base": _floats([one.start_ns / _NS_PER_MS for _, one in found]),
            "x": _floats([(one.end_ns - one.start_ns) / _NS_PER_MS for _, one in found]),
            "width": height,
            "marker": {
                "color": colour,
                "line": {"width": 0 if "/" in colour else 1, "color": solid},
                "pattern": {"shape": hatch, "size": 5, "solidity": 0.3},
            },
            "customdata": [_folded(f"{rows[at].symbol} · {one.text}") for at, one in found],
            "hovertemplate": "%{customdata}<extra></extra>",
        }


def _mark_traces(rows: Sequence[Row]) -> Iterator[Mapping[str, Any]]:
    found = [(at, mark) for at, row in enumerate(rows) for mark in row.marks]
    if found:
        yield {
            "type": "scatter",
            "mode": "markers",
            "name": "findings begin",
            "x": _floats([mark.time_ns / _NS_PER_MS for _, mark in found]),
            "y": _floats([at + 0.38 for at, _ in found]),
            "marker": {"symbol": "triangle-up", "size": 7, "color": "@ink"},
            "cliponaxis": False,
            "customdata": [_folded(f"{rows[at].symbol} · {mark.text}") for at, mark in found],
            "hovertemplate": "%{customdata}<extra></extra>",
        }


def _findings_section(defects: Sequence[DefectList]) -> Section:
    blocks: list[Block] = [
        Table(
            name=f"defect-{one.name.replace('_', '-')}",
            caption=f"{one.name}: {one.meaning} ({one.count:,})",
            columns=("where", "what"),
            rows=tuple((finding.subject, finding.message) for finding in one.findings),
            note=f"{one.hidden} more: `ninefold data check --json` lists them."
            if one.hidden
            else "",
            is_folded=True,
        )
        for one in defects
    ]
    lead = "What was found, with the number of rows concerned; each opens." if defects else ""
    return Section(
        name="findings",
        title="Findings",
        lead=lead,
        blocks=tuple(blocks) or (Text(paragraphs=("None.",)),),
    )


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def _count(number: int) -> Number:
    return Number(number, "count")


def _floats(values: Sequence[float]) -> Float1D:
    return np.array(values, dtype=np.float64)


def _folded(text: str) -> str:
    return "\n".join(
        part for line in text.split("\n") for part in textwrap.wrap(line, HOVER_WIDTH) or [""]
    )
