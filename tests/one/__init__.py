"""ONE on this client.

Most tests need ONE-api, which is in the dependency group ``one``, and are skipped without it: ``make one``.
"""
