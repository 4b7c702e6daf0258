"""The simulated market in parts: parameters, minute path, order flow, derivatives, daily series."""
