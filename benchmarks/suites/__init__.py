"""Suites: each module defines ``suite(**options) -> Suite``; a suite is data, a few lines per cell."""
