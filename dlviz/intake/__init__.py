"""The gate that everything a visitor brings goes through.

``photo(data)`` turns the bytes of a file into a :class:`Photo` or raises
:class:`dlviz.errors.Refused` with a message for the visitor. It raises nothing
else, whatever the bytes are.
"""

from dlviz.intake.images import MAX_PIXELS, WORKING_SIDE, Photo, photo
from dlviz.intake.sniff import FORMATS

__all__ = ["FORMATS", "MAX_PIXELS", "WORKING_SIDE", "Photo", "photo"]
