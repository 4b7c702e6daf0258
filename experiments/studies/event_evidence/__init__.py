"""What followed events, against what followed any bar of the same volatility.

    python -m experiments.studies.event_evidence --data FOLDER

writes ``docs/event-evidence.md`` and its picture. All of it was fixed before the first run, except where
it says so.

**Events**: those of every detector with its defaults and as the heads use it, on hourly bars, by type,
as they became known; and by type and state, on the row of the change. Events without a side are
counted, their returns are not. Several of one kind and side on one row count once; a row on which a kind
has both sides counts for neither.

**Return**: of one unit of money entered at the open after the row, out again 1, 4, 24 or 72 hours later,
in the direction of the event, in basis points, before costs. It exists where both bars do and at most
three bars are missing from the row to the exit.

**Matched random entries**: entries of the same symbol and side on every bar of the same fifth of volatility
(root mean square of the last week's hourly returns, among all bars of the symbol) for which the return
exists. Their mean is subtracted; it is what infinitely many random draws would give.

**Interval**: clusters are calendar weeks from Monday, across all symbols and samples, so that what falls
into one week counts as one observation; wild cluster bootstrap, studentised, 9,999 draws. A group is
judged when it has at least 30 events in at least 20 weeks.

**Correction**: one family of all judged groups: events x horizons x samples. Intervals are joint: the
chance that any of them misses is 5 %. Adjusted p values are stepped down.

**Random walks of the same volatility**: the bars of the sample with the sign of every move drawn anew.
Each bar keeps the sizes of its moves, its volume and its place, and is turned upside down or not; prices
have no direction left, and volatility is what it was, bar for bar.

Changed after the first run, in which no interval of real bars excluded 0: entries were matched by calendar
month at first. A month's mean holds the move that made the event, so that what comes after looks like a
return of it: 7 of 20 families of walks, where nothing can be found, had an interval without 0. States in
which an event is merely put away (expired, replaced, removed) were left out, and rows with both sides
of a kind, such as the two pools of every day, whose returns cancel.
"""
