"""The rules that a run was played under, in words."""

from ..pages.document import Section, Table, Text
from ..rules_text import rules_text
from ..verdict import ambiguity
from .reading import RunReading


def rules_section(reading: RunReading) -> Section:
    """Everything of the configuration that was in force, and what the bars left open."""
    content = reading.content
    rows = tuple((what, how) for what, how in rules_text(content["config"]))
    decided = (
        "Decisions come from the consensus of the heads."
        if content["decisions_from"] == "consensus"
        else f"Decisions come from the file of targets {content['decisions_from']}, not from the heads."
    )
    inside = [
        f"{ambiguity(content)}."
        if content["ambiguous_exits"]
        else "No exit is ambiguous: in no bar of an exit were stop and target both reached."
    ]
    if content["fine_timeframe"] is not None:
        inside.append(
            f"Stops and targets are resolved on {content['fine_timeframe']} bars inside each bar; "
            f"{content['unresolved_bars']:,} traded bars lack some of them."
        )
    table = Table(name="rules", caption="In force", columns=("", ""), rows=rows)
    return Section(
        name="rules-and-accounting",
        title="Rules and accounting",
        lead=decided,
        blocks=(table, Text(paragraphs=tuple(inside))),
    )
