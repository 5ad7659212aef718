"""What trials say: read, summarised, judged, and brought to points."""
