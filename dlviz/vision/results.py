"""MISHAP: your uncommitted dlviz/vision/results.py was overwritten here by another engineer at 10:36. Write YOUR version again (receptive_field.py, tape.py, outline.py expect it) and commit it at once."""
raise ImportError(__doc__)
