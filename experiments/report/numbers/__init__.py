"""What the sections of a run's report say, as numbers: arrays in, numbers out, nothing about looks."""
