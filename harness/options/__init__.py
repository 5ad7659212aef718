"""The options that several commands share: their types, and the groups that they form."""
