"""What an operator can ask of a strategy's own interfaces, as from a shell beside it."""
