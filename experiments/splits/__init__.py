"""Which bars a configuration is chosen on, and which it is judged on. Nothing here is random.

``walk_forward`` (anchored or rolling, by bars or by time), ``purged`` (K folds) and ``combinatorial``. The
engine replays each configuration once per block, flat at its edges and warmed up before it without
orders; what a split says of blocks is then a sum of block sums.
"""
