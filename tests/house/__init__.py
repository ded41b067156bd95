"""Measures of the layer's shape, and the limits that keep it in order (`make house`)."""
