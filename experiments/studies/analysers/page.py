"""A reading as a page of Markdown, and the list of all pages."""

from collections.abc import Sequence
from textwrap import fill
from typing import Final

import numpy as np

from datasets import time_text
from indicators import INDICATORS_BY_NAME

from .reading import Found, Reading, SecondOpinion, Subject, firing_rows, found

WIDTH: Final = 108
COMMAND: Final = "python -m experiments.studies.analyser_review --data ../shared/data"
NOT_REVIEWED: Final = (
    (
        "liquidation proxy",
        "no file has open interest in coins and in dollars with a taker ratio; the captured liquidation "
        "orders are of minutes in June 2025, when no file has open interest finer than a day",
    ),
    ("top traders", "no file has their ratios"),
    ("second venue of accounts", "no two files have account ratios of one time"),
    ("premium of a fund", "the prices of GBTC and IBIT are there without net asset value or flows"),
    ("unlocks, listings", "no file has announcements"),
    ("first digits of volumes", "a state without a side; not asked for here"),
)
"""Analysers that these files do not feed, and what lacks."""


def page(reading: Reading, command: str = COMMAND) -> str:
    """What it says, its data, how often it speaks, its picture, its episodes, what it could not know."""
    subject = reading.subject
    blocks = [
        f"# {subject.title}",
        _wrapped(subject.says),
        f"Made by `{command}`.",
        "## Data",
        _listed([f"`{name}`" for name in subject.files]),
        _wrapped(_period(reading)),
        *(_wrapped(f"Stand-in: {text}") for text in subject.stand_ins),
        *([] if reading.second is None else [_wrapped(_compared(reading, reading.second))]),
        "## How often",
        _wrapped(
            "Shares of the bars that are known, by year; *known* is a share of all bars of the year. "
            f"States are shown as they are joined onto the bars, {_side_text(reading)}"
        ),
        firing_table(reading),
        f"![{subject.title}]({subject.name}.svg)",
        *_episodes(reading, found(reading)),
        "## What it could not know",
        _listed(subject.unknown),
    ]
    return "\n\n".join(blocks) + "\n"


def _wrapped(text: str, indent: str = "") -> str:
    return fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _listed(texts: Sequence[str]) -> str:
    return "\n".join(_wrapped(f"* {text}", "  ") for text in texts)


def _period(reading: Reading) -> str:
    known, bars = np.flatnonzero(reading.known), f"{len(reading.known_at):,} bars"
    if not len(known):
        return f"Known on none of {bars} of {reading.timeframe}."
    first, last = (time_text(int(reading.known_at[row])) for row in (known[0], known[-1]))
    return f"Known from {first} to {last}, on {len(known):,} of {bars} of {reading.timeframe}."


def _compared(reading: Reading, second: SecondOpinion) -> str:
    """The line beside its second opinion, on the first bar that closes at or after each value."""
    rows = np.searchsorted(reading.known_at, second.time_ns)
    inside = rows < len(reading.known_at)
    line = reading.line[rows[inside]]
    known = ~np.isnan(line)
    ours, theirs = line[known], second.value[inside][known]
    apart = np.abs(ours - theirs)
    most = int(apart.argmax())
    day = time_text(int(second.time_ns[inside][known][most]))[:10]
    return (
        f"Second opinion, drawn as dots: {second.text} On the {len(ours):,} days on which both are known "
        f"they differ by {np.median(apart):.1f} points in the median, their correlation is "
        f"{np.corrcoef(ours, theirs)[0, 1]:.2f}, and they are furthest apart on {day}: "
        f"{ours[most]:.1f} here, {theirs[most]:.1f} there."
    )


def _side_text(reading: Reading) -> str:
    if reading.subject.analyser is None and reading.subject.side is None:
        return "there is no side."
    if reading.subject.analyser is None:
        return "*long* and *short* are the indicator's signal."
    return "*long* and *short* are the side of the analyser with its default parameters."


def firing_table(reading: Reading) -> str:
    """Known share, states and sides by year as a Markdown table."""
    subject = reading.subject
    words = [
        (alias, code, text)
        for alias, codes in subject.states.items()
        for code, text in codes.items()
    ]
    has_side = subject.analyser is not None or subject.side is not None
    heads = ["year", "bars", "known", *(text for _, _, text in words)]
    heads += ["long", "short"] if has_side else []
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for row in firing_rows(reading):
        cells = [row.period, f"{row.bars:,}", _percent(row.known)]
        cells += [_percent(row.states[alias, code]) for alias, code, _ in words]
        cells += [_percent(row.long), _percent(row.short)] if has_side else []
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share == 0 or share >= 0.0005 else f"{share:.2%}"


def _episodes(reading: Reading, episodes: Sequence[Found]) -> list[str]:
    lines = [
        _wrapped(f"{number}. {_told(reading, one)}", "   ")
        for number, one in enumerate(episodes, start=1)
    ]
    return ["## Episodes", "\n".join(lines)] if lines else []


def _told(reading: Reading, one: Found) -> str:
    """The episode and what was computed, with the sentence that says of what and when."""
    episode = one.episode
    return (
        f"{episode.text} {episode.extreme.capitalize()} `{episode.shown}`: {_value(reading, one)}."
    )


def _value(reading: Reading, one: Found) -> str:
    subject = reading.subject
    words = subject.states.get(one.episode.shown)
    if words is not None:
        value = words.get(int(one.value), f"{one.value:g}")
        return f"**{value}**, known {time_text(one.known_at)}"
    return (
        f"**{one.value:.3g}** {_unit(subject, one.episode.shown)}, known {time_text(one.known_at)}"
    )


def _unit(subject: Subject, shown: str) -> str:
    """The subject's unit for its line, the declared one for another output."""
    if shown == subject.line:
        return subject.unit
    wanted = subject.shown[shown]
    indicator = INDICATORS_BY_NAME[wanted.indicator]
    return indicator.outputs[indicator.output_index(wanted.output)].unit


def contents(readings: Sequence[Reading], command: str = COMMAND) -> str:
    """The list of all pages with a row of figures for each, and what is not reviewed."""
    lines = []
    for reading in readings:
        subject, every = reading.subject, firing_rows(reading)[-1]
        known = np.flatnonzero(reading.known)
        period = (
            f"{time_text(int(reading.known_at[known[0]]))[:10]} to "
            f"{time_text(int(reading.known_at[known[-1]]))[:10]}"
            if len(known)
            else "never"
        )
        has_side = subject.analyser is not None or subject.side is not None
        sides = (_percent(every.long), _percent(every.short)) if has_side else ("", "")
        cells = (f"[{subject.title}]({subject.name}.md)", period, f"{len(known):,}", *sides)
        lines.append(f"| {' | '.join(cells)} |")
    missing = _listed([f"{name}: {reason}." for name, reason in NOT_REVIEWED])
    return f"""# Analysers on real data

Each analyser that the real files allow: how often it speaks, a picture, episodes that are known from
elsewhere with the value as computed, and what it could not know. Features are built as a run
builds them, the sides are those of the analysers of the crypto-metrics head (of one indicator of the
sentiment head for fear and greed). Nothing here says that a side pays.

Made by `{command}`, which writes every page and picture.

| page | known | bars | long | short |
|---|---|---:|---:|---:|
{chr(10).join(lines)}

Not reviewed:

{missing}
"""
