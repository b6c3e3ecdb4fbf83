"""Files that survive a crash: atomic writes, locks, SQLite, the system's keyring.

May import `errors` alone.
"""
