"""Two campaigns beside each other: by which factor they differ, and whether that may be chance."""
