"""Questions that were put to the engine once and are kept with the command that answers them."""
