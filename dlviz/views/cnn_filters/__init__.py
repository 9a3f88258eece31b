"""The sections of the CNN filters page."""
