"""How orders ended, and which limits decided their size."""

from collections import Counter

import numpy as np

from ..formats import spoken
from ..pages.document import Block, Number, Section, Table, Text
from .reading import RunReading, floats

MONEY = "settlement currency"


def orders_section(reading: RunReading) -> Section:
    """Words alone without an order."""
    title = "Orders and limits"
    if not len(reading.table("orders")):
        nothing = Text(paragraphs=("No order was placed.",))
        return Section(name="orders", title=title, blocks=(nothing,))
    limits: Block = limits_table(reading) or Text(paragraphs=("No order was cut by a limit.",))
    return Section(name="orders", title=title, blocks=(ends_table(reading), limits))


def ends_table(reading: RunReading) -> Table:
    """Orders by kind and by how they ended."""
    orders = reading.table("orders")
    kinds, statuses = orders["kind"].to_pylist(), orders["status"].to_pylist()
    ends = Counter(zip(kinds, statuses, strict=True))
    return Table(
        name="order-ends",
        caption="How orders ended",
        columns=("kind and end", "orders", "share"),
        rows=tuple(
            (f"{kind} {status}", Number(count, "count"), Number(count / len(orders), "fraction"))
            for (kind, status), count in sorted(ends.items())
        ),
        width="half",
    )


def limits_table(reading: RunReading) -> Table | None:
    """Orders whose size a limit decided: how many, and the notional wanted and granted; None for none."""
    orders = reading.table("orders")
    limit = np.asarray(orders["limit"].to_pylist(), dtype=object)
    rejected = np.asarray(orders["status"].to_pylist(), dtype=object) == "rejected"
    wanted, granted = floats(orders["wanted_notional"]), floats(orders["granted_notional"])
    rows = []
    for name, count in Counter(limit.tolist()).most_common():
        chosen = limit == name
        if name != "none":
            rows.append(
                (
                    spoken(str(name)),
                    Number(count, "count"),
                    Number(int((chosen & rejected).sum()), "count"),
                    Number(float(wanted[chosen].sum()), MONEY),
                    Number(float(granted[chosen].sum()), MONEY),
                )
            )
    if not rows:
        return None
    return Table(
        name="order-limits",
        caption="Limits that bound",
        columns=("limit", "orders", "rejected", "wanted", "granted"),
        rows=tuple(rows),
        width="half",
    )
