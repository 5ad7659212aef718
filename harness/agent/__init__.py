"""Targets on another host: the process that starts them there, and what asks it for them here."""
