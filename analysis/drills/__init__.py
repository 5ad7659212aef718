"""From a drill's records to what was lost, hidden or run twice. This module imports nothing heavy."""
