"""The slow, obviously right reading of a Heap export: plain Python, written from the data contract alone.

Start at ``tables.published_tables``. Nothing here imports the package under test.
"""
