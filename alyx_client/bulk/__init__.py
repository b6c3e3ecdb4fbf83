"""Calls for many records: planned before anything is sent, run by threads, tasks or an executor, and summed up.

`plan` turns the input into tasks, each of one request or a few; `ledger` holds their outcomes. `threads`, `aio` and
`executors` run them. Loaded by the first such call.

May import `downloads`, `runtime` and the rooms below.
"""
