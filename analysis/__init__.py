"""From a campaign's folder to tables, charts and a report."""
