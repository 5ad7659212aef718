"""The user's own callable: found in their package, given its arguments, and called as a task."""
