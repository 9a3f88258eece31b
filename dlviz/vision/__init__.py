"""Part 2: convolution, CNNs, residual networks, autoencoders."""
