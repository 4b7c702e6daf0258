"""The bar loop of the replay: docs/accounting.md, split along its sections.

``state`` holds what the kernels share, ``fills`` §2, ``orders`` and ``batch`` §3, ``payments``, ``exits``,
``levels`` and ``decide`` the steps of §4, ``liquidation`` §5, ``trades`` and ``ruin`` what ends with them;
``loop`` puts them in order, ``account`` and ``one_position`` pass over quiet bars, ``rows`` over many
symbols at once. ``prepare`` and ``decided`` are the way in, ``run`` calls the loop, ``tables`` and
``columns`` are the way out; ``memory`` lends what is written to.
"""
