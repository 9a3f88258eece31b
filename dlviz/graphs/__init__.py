"""Parts 3 and 5: walks on graphs and graph networks."""
