"""Downloads of data files and cache tables: resumed, checked, and renamed to their final name once complete.

May import `runtime`, `auth`, `config`, `schema`, `http`, `storage` and `errors`.

A call goes through `downloader` (one call), `planning` (sources to jobs), `batch` (several jobs at once), `download`
(one job: attempts, checks, final name) and `receiver` (one attempt). `checks` decides which local file is complete,
`attempts` whether a failure is retried, and `data_servers` which server receives which credentials.
"""
