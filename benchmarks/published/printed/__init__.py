"""Printed figures that nothing here is judged by: they stand beside our own."""
