"""The sections of the embeddings page."""
