"""Networks for small devices, and their parts."""
