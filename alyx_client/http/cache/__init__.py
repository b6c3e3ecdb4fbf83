"""The response cache: its policy, its keys and its store.

May import the rest of `http`, and `storage`.
"""
