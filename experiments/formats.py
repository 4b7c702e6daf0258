"""Numbers as people read them: one rule for each unit, n/a for what is undefined."""


def formatted(value: float | None, unit: str) -> str:
    """``value`` in its unit; fractions as percent, None (undefined) as n/a."""
    if value is None:
        return "n/a"
    if unit == "fraction":
        return f"{value:.2%}" if abs(value) < 100 else f"{value:,.0%}"
    if unit in ("count", "bars"):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    if unit == "flag":
        return "yes" if value else "no"
    if unit == "per year":
        return f"{value:,.1f} a year"
    return f"{value:,.2f}"


def metric_label(name: str, unit: str) -> str:
    """The name of a metric in a table, with the direction in which money moved where it did."""
    words = name.replace("_", " ")
    return (
        f"{words} {unit.removeprefix('quote currency ')}"
        if unit.startswith("quote currency ")
        else words
    )
