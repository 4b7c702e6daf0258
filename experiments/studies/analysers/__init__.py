"""The rooms of the review of analysers: what is read, from which files, and how it is shown."""
