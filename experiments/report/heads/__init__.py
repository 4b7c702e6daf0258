"""The heads of a run: numbers first (no formats in them), then the sections that show them."""
