"""What the report page is made of: plots as inline SVG, sections gathered from stored cells, template and style."""
