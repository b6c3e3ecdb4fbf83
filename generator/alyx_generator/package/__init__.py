"""Generated packages: the pipeline that makes them, their manifest, and writing, checking and comparing them."""
