"""The heads' part of a run report."""

from ..pages import Section, Text
from .heads.calibration_section import calibration_section
from .heads.consensus_section import consensus_section
from .heads.correlation_section import correlation_section
from .heads.firing_section import firing_section
from .heads.numbers import head_numbers
from .heads.worth_section import worth_section
from .reading import RunReading


def heads_sections(reading: RunReading) -> tuple[Section, ...]:
    """What each head said, how often, whether it came true, and what it was worth.

    One section that says so for a run of targets, which no head decided. Raises DataError when a table
    of the run cannot be read.
    """
    source = str(reading.content["decisions_from"])
    if source != "consensus":
        said = f"n/a: the decisions of this run were read from {source}; no head decided anything."
        return (Section(name="head-worth", title="The heads", blocks=(Text(paragraphs=(said,)),)),)
    numbers = head_numbers(reading)
    return (
        worth_section(reading, numbers),
        consensus_section(reading, numbers),
        calibration_section(numbers),
        correlation_section(numbers),
        firing_section(reading.content["firing"]),
    )
