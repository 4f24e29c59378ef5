"""The demo: a company that does not exist, and twelve months of what its customers said."""
