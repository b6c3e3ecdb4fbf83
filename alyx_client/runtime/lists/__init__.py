"""Lists of rows: how they are divided into pages, fetched whole while the server changes, and returned.

Alyx pages by offset. Others may create and delete records meanwhile: deletions move the unread rows towards the front,
past the position where reading goes on, and the count does not show it if as many were created elsewhere.

Overlap: each page starts with a row of the page before, longer ones with fifty. As long as it does, all rows before it
were read, in whatever order pages were fetched: after the first page, several at a time, until one shows a change.

Holes: a page that starts with an unread row, or another count, means that rows may be missing. If a row comes again
where none should, the server's order does not hold. In the end, there must be as many different rows as were counted.

Repair, the first of these that is possible:

1. A list shorter than the longest page (1000) is read as one page: a picture of one moment.
2. Pages nearer to the front are fetched, each twice as far, until one starts with a row that was read.
3. The list is read by ranges of its UUIDs, each at one moment; these rows come last. Longer ones are split.

Budget: requests that bring no new rows, besides as many as those that do: ten of a query (two, if ranges follow), and
one for each page's worth of records created; 300 of the ranges. What is not shown to be whole then is warned about.

`query_pager` decides on one query, `page_window` on positions, `offset_pager` on several queries; `next_pager` reads
pages that name the next one, `key_ranges` ranges, `prefetch` what comes next; `results` and `async_results` are lists.
"""
