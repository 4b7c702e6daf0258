"""Statistics of results that were chosen among many: what is left of them after the choice."""
