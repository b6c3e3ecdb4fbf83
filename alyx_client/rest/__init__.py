"""Calls by name, as ``client.rest("subjects", "list")``, for code written for ONE.

May import `runtime` and the rooms below it.
"""
