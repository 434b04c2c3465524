"""Processes that answer requests: started, replaced one after another, and ended without dropping a request."""
