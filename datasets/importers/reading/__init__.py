"""From the bytes of a file to columns, and what a file says about itself."""
