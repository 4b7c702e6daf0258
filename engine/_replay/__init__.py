"""The bar loop of the replay: docs/accounting.md, split along its sections.

``state`` holds what the kernels share, ``fills`` §2, ``orders`` and ``batch`` §3, ``payments``, ``exits``,
``levels`` and ``decide`` the steps of §4, ``liquidation`` §5; ``loop`` puts them in order. ``prepare`` and
``tables`` are the way in and out.
"""
