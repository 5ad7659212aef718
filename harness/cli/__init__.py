"""The command line, a file a command; everything heavy is imported by the command that needs it."""
