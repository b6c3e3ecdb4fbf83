"""HTTP: messages, URLs, retries, transports, the response cache and the log.

May import `storage` and `errors`; httpx is imported here alone.
"""
