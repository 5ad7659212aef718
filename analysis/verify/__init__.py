"""Whether a campaign met what it was to reach."""
