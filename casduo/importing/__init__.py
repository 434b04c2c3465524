"""Turns the services of other CAS servers into entries of ``registry.yaml``: bytes in, entries and findings out.

Nothing here opens files, runs an expression or executes what a file holds. What made access narrower at the old
server and cannot be said in ``registry.yaml`` closes the entry (``enabled: false``), and the report says why.
"""
