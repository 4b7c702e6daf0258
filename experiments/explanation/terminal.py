"""An explanation as terminal tables that fit 80 columns: coloured there, plain where piped."""

from collections.abc import Sequence
from math import fsum
from typing import Final

from rich.console import Console
from rich.markup import escape

from datasets import time_text

from ..formats import spoken
from ..tables import table_of
from .explain import Component, Explanation, HeadExplanation

GAUGE_CELLS: Final = 20
_STRONG: Final = 60.0
_WEAK: Final = 40.0
_SIDES: Final = {1: "[green]LONG[/]", -1: "[red]SHORT[/]", 0: "none"}
_SIGNS: Final = {1: "[green]+[/]", -1: "[red]-[/]", 0: " "}


def print_explanation(explanation: Explanation, console: Console) -> None:
    """The nine votes, their reasons, the gates, the decision, and what each score is made of."""
    close = "" if explanation.close is None else f", close {explanation.close:.8g}"
    console.print(
        f"[bold]{escape(explanation.symbol)}[/]  {explanation.timeframe} bar known at "
        f"{time_text(explanation.known_at_ns)} UTC{close}\n{escape(explanation.run_id)}"
    )
    _print_votes(explanation, console)
    _print_consensus(explanation, console)
    _print_reasons(explanation, console)
    for head in explanation.heads:
        if head.components is not None and head.vote.coverage > 0:
            _print_components(head, head.components, console)
    if explanation.not_again:
        console.print(
            f"[yellow]No contributions: they could not be computed again. "
            f"{escape(explanation.not_again)}[/]"
        )


def _print_votes(explanation: Explanation, console: Console) -> None:
    table = table_of(
        None,
        [
            ("head", "left"),
            ("vote", "left"),
            ("probability", "right"),
            ("confidence", "right"),
            ("coverage", "right"),
            ("weight", "right"),
            ("counts", "left"),
        ],
    )
    for head in explanation.heads:
        vote = head.vote
        spoke = vote.direction != 0
        counts = head.standing
        if counts == "valid":
            counts = "for" if vote.direction == explanation.steps.side else "against"
            counts = counts if explanation.steps.side else "valid"
        table.add_row(
            escape(spoken(vote.name)),
            _SIDES[vote.direction],
            f"{vote.probability:.2f}" if spoke else "",
            f"{vote.confidence:.2f}" if spoke else "",
            f"{vote.coverage:.2f}",
            f"{head.weight:.2f}",
            counts if head.is_enabled else "off",
        )
    console.print(table)


def _print_consensus(explanation: Explanation, console: Console) -> None:
    steps = explanation.steps
    side = _SIDES[steps.side]
    if not steps.side:
        gate = explanation.consensus["gate"]
        why = "as many valid heads on each side" if gate == "tie" else "no valid head"
        console.print(f"[bold]Consensus: none[/], {why}")
    else:
        found = f"{side} stands" if steps.stands else f"none; {side} fails"
        console.print(f"[bold]Consensus:[/] {found}")
        table = table_of(
            None,
            [("gate", "left"), ("value", "right"), ("needs", "right"), ("", "left"), ("", "left")],
        )
        for step in steps.steps:
            sign = "<=" if step.gate == "veto" else ">="
            whole = step.gate in ("quorum", "veto")
            needs = "no limit" if step.threshold is None else f"{sign} {step.threshold:.3g}"
            table.add_row(
                step.gate,
                f"{step.value:.0f}" if whole else f"{step.value:.3f}",
                needs,
                "[green]yes[/]" if step.holds else "[red]no[/]",
                step.arithmetic,
            )
        console.print(table)
    console.print(f"[bold]Decision:[/] {_decision(explanation)}\n")


def _decision(explanation: Explanation) -> str:
    decision = explanation.decision
    if decision["acts"]:
        target = float(decision["target"])
        wanted = f"{'LONG' if target > 0 else 'SHORT'} {abs(target):g}" if target else "flat"
        return f"{wanted}, by a {decision['order_kind']} order no earlier than the next open"
    if explanation.steps.stands:
        return "none; a side that persists does not act again"
    return "none"


def _print_reasons(explanation: Explanation, console: Console) -> None:
    for head in explanation.heads:
        if not head.reasons:
            continue
        console.print(f"[bold]{escape(spoken(head.vote.name))}[/]")
        for reason in head.reasons:
            console.print(
                f"  {_SIGNS[reason.direction]} {escape(reason.name)}: {escape(reason.text)}"
            )
        for rule in head.rules or ():
            console.print(f"  {_SIGNS[rule.direction]} rule {escape(rule.name)}")
    console.print()


def _print_components(
    head: HeadExplanation, components: Sequence[Component], console: Console
) -> None:
    table = table_of(
        f"{escape(spoken(head.vote.name))}: score {head.score:.2f}",
        [
            ("component", "left"),
            ("score", "right"),
            ("weight", "right"),
            ("impact", "right"),
            ("div", "right"),
            ("gauge", "left"),
        ],
    )
    group = ""
    for component in components:
        if component.group != group:
            group = component.group
            table.add_row(f"[dim]{escape(group)}[/]")
        name = f"  {component.name}" if group else component.name
        if component.score is None or component.adjusted is None:
            table.add_row(escape(name), "n/a", "", "", "", "")
            continue
        table.add_row(
            escape(name),
            f"{component.score:.2f}",
            f"{component.share:.3f}",
            f"{component.impact:.2f}",
            f"{component.adjustment:+.1f}" if component.adjustment else "0.0",
            _gauge(component.adjusted),
        )
    moved = fsum(
        component.share * (component.adjusted - component.score)
        for component in components
        if component.score is not None and component.adjusted is not None
    )
    table.add_section()
    table.add_row(
        "[bold]score[/]",
        f"{head.score:.2f}",
        f"{fsum(component.share for component in components):.3f}",
        f"{fsum(component.impact for component in components):.2f}",
        f"{moved:+.1f}" if moved else "0.0",
        _gauge(head.score),
    )
    console.print(table)


def _gauge(score: float) -> str:
    filled = round(score / 100.0 * GAUGE_CELLS)
    shade, colour = "▒", "yellow"
    if score >= _STRONG:
        shade, colour = "▓", "green"
    elif score < _WEAK:
        shade, colour = "░", "red"
    return f"[{colour}]{shade * filled}[/]{'·' * (GAUGE_CELLS - filled)}"
