"""A sample export: a shop that does not exist, delivered exactly as Heap Connect delivers.

Start at ``export.py`` (``write_sample``) and ``calendar.py`` (``SampleSize``, ``dump_ids``). Every row is a pure
function of seed, size and its own number, so any part of any dump can be written alone and memory stays bounded.
"""
