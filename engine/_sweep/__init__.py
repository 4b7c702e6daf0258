"""Private: the kernels of the sweep, which replays many configurations without ledgers."""
