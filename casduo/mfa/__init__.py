"""The second factor: who owes it for which service, and how strong a session already is."""
