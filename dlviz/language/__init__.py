"""Parts 3 and 4: words, sequences, attention, language models."""
