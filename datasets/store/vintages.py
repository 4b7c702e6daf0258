"""Which rows of a data set were known at a moment."""

import numpy as np
import pyarrow as pa

from ..kinds import Kind
from ..tables import available_at_ns, same_identity


def visible_rows(kind: Kind, table: pa.Table, as_of_ns: int) -> pa.Table:
    """Of every value the last vintage with ``available_at <= as_of_ns``; rows in store order."""
    known = available_at_ns(table) <= as_of_ns
    if not known.all():
        table = table.filter(pa.array(known))
    revised = same_identity(kind, table, same_moment=False)
    if not revised.any():
        return table
    # Vintages of a value lie together, the latest last: the one that the next row does not revise.
    last = np.append(~revised[1:], True)
    return table.filter(pa.array(last))
