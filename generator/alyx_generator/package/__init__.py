"""Generated packages: the pipeline that produces them, their manifest, and writing, checking and comparing them.

May import `alyx_generator.render` and the rooms below it.
"""
