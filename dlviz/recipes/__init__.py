"""The scripts that trained the bundled models. Each is resumable and names its data set."""
