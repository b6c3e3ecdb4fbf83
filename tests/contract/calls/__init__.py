"""The calls that public pipelines make of Alyx, 25 kinds of them: each by name with plain dictionaries, and typed.

The 24th kind, `download_file`, is tested in ``tests/downloads``.
"""
