"""Part 1: neurons, training, backpropagation, overfitting."""
