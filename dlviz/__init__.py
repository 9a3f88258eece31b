"""dlviz: the laboratory of a deep-learning course.

Importing the package is cheap: heavy libraries (torch, diffusers, ...) are
imported where a lesson first needs them. From a notebook, take the science
directly, for instance ``from dlviz.vision import cnn_filters``.
"""

__version__ = "0.1.0"
