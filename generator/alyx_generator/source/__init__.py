"""Schema documents: fetching, normalising, correcting and validating them.

May import `alyx_client` and nothing else of the generator.
"""
