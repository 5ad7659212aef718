"""How long the user's task takes, alone and under load, and what it holds meanwhile."""
