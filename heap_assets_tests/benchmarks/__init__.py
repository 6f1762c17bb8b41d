"""Figures that are measured, never asserted: ``uv run python -m heap_assets_tests.benchmarks <name>``.

One module per benchmark, each a click command that ``__main__.py`` registers by name; every contestant runs in a
process of its own on the same data.
"""
