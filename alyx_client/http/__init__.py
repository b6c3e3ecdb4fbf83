"""HTTP: how a request gets to the server, and what its response means.

`message` and `url` are values; `retry` decides whether a request is sent again, `failure` and `error_response` what is
raised; `flow` is how logic waits; `transport` and `streaming` send; `cache` is the response cache. May import `storage`
and `errors`; httpx2 is imported here only.
"""
