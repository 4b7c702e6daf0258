"""The page of ``ninefold draw``: what one head saw and said, on the chart of prices.

Every event stands at the bar at whose close it was known. Pictures are Plotly, whose script is inside
the page once; nothing is fetched from anywhere, and the page's own policy forbids it.
"""
