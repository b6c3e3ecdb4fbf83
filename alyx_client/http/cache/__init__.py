"""The response cache: its policy, the keys and the encoding of its entries, and the file that stores them.

May import the rest of `http`, and `storage`; sqlite3 is imported here and in `storage` only.
"""
