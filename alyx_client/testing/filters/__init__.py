"""The filters of lists: named filters, Django's look-ups, and the ordering; imports `records` and `failures`."""
