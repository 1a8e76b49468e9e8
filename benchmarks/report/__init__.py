"""The report: one html page of tables, plots as inline SVG and pictures, from what is stored."""
