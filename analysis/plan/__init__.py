"""From what was measured to how many it takes: processes, workers and slots for a demand."""
