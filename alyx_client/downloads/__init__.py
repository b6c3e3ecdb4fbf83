"""Downloads of data files: from a source to a whole file under its own name.

`downloader` plans what goes where, `download` takes one file to its end, `part_file` has what is there so far.
"""
