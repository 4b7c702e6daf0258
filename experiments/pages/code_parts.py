"""Backticks in the text of a page: what stands between two of them is code."""


def code_parts(text: str) -> list[tuple[bool, str]]:
    """The text in pieces, each with whether it stood between backticks; unpaired ones are text."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return [(at % 2 == 1, part) for at, part in enumerate(parts) if part]
