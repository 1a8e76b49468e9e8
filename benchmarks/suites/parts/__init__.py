"""What suites are put together from: grids of cells that several suites share."""
