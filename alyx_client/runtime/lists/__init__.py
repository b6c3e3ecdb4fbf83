"""Lists of rows: how they are divided into pages, fetched whole while the server changes, and returned."""
