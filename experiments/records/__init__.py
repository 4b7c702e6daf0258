"""What can be done with runs that are over: compare them, compute them again, remove them."""
