"""Part 5: diffusion models."""
