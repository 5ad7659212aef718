"""An open-loop generator inside Locust: what is due is sent when it is due, whatever the target does."""
