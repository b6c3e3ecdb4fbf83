"""The response cache.

`policy` has the rules, `response_cache` applies them to a request, `call` to its outcome; `key`, `entry`, `tables` and
`store` are the file, and `memory` what is held of it. May import the rest of `http`, and `storage`; sqlite3 is imported
here and in `storage` only.
"""
