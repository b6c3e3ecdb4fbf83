"""Authentication: tokens, credentials, logging in and out, prompts, and the first set-up.

May import `config`, `schema`, `http`, `storage` and `errors`.
"""
