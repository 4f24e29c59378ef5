"""Servers of our own, for a machine that has none: `make run` and the tests.

PostgreSQL, a Redis-protocol broker and an SMTP inbox come from wheels; web, worker and clock are
the product itself. Nothing here imports Django: the product only sees the environment it is handed.
"""
