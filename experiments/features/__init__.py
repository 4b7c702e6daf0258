"""Feature matrices as files, and the indicators of the user's own that may stand in them.

``docs/features.md`` is the norm: what a column's name means, when a row is known, what is kept and
under which key, and how a file of one's own adds an indicator.
"""
