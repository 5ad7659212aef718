"""One measured run, and what spoils one."""
