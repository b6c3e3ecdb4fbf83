"""Writes that wait for the server: stored on the disk before the call returns, and sent in order, each once.

`capture` turns a call of an endpoint's method into a request, `store` has the writes and their states, `sender` sends
them, `natural_keys` finds out what became of a write whose response was lost. `sync` and `aio` are the two faces of it.
Loaded by the first use of ``client.outbox``.

May import `runtime` and the rooms below.
"""
