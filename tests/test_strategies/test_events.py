"""Events that are held for some bars, against a search back from every row."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.events import at_event, event_row, held


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, -1.0]), min_size=1, max_size=40), st.data())
def test_the_newest_event_of_the_last_bars(events: list[float], data: st.DataObject) -> None:
    bars = data.draw(st.integers(1, 45))
    signal, values = np.array(events), 10.0 + np.arange(len(events))
    rows = []
    for t in range(len(events)):
        recent = [j for j in range(max(0, t - bars + 1), t + 1) if events[j] != 0]
        rows.append(recent[-1] if recent else -1)
    assert event_row(signal, bars).tolist() == rows
    assert held(signal, bars).tolist() == [events[j] if j >= 0 else 0.0 for j in rows]
    assert at_event(values, signal, bars).tolist() == [10.0 + j if j >= 0 else 0.0 for j in rows]
