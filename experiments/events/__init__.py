"""The events of a configuration: what its heads' detectors find, as one table."""
