"""A campaign on one page: built, worded, and executed as notebooks."""
