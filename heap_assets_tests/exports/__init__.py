"""Small Heap exports for tests: described as frozen values (description.py), written to a folder (writer.py), drawn at
random (strategies.py), delivered step by step (delivery.py).
"""
