"""The version of the distribution: the one place that states it. Part of no cell's key."""

VERSION = "0.2.0.dev0"
