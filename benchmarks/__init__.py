"""Benchmarks: real units of work, as ratios against peers in one run (`make bench`).

Each module has ``figures()``, which returns named numbers; a name ends in its unit, and a ratio ends
in ``_times`` (how many times as fast as the peer, or as large).
"""
