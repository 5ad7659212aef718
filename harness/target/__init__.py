"""A target: its processes, broker, cores and ledgers."""
