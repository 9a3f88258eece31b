"""The sections of the VAE page."""
