"""What a person at the terminal sees and sends: output that may fail, and signals."""
