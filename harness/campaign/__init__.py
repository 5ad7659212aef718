"""A campaign: set up, run trial by trial on a target that stays up, sealed."""
