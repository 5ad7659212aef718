"""What trials say: read, summarised, audited, and brought to points."""
