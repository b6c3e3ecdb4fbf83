"""Files that survive crashes and concurrent processes: atomic writes, locks, SQLite databases, the system's keyring.

May import `errors` only.
"""
