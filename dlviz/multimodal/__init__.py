"""Part 5: images and text in one space."""
