"""What is broken on purpose, and what became of every task."""
