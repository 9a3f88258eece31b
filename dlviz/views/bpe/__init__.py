"""The sections of the page on byte-pair encoding."""
