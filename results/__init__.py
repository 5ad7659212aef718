"""The ground everything stands on: row types, the manifest and a campaign's folder."""
