"""Text forms of `benchmarks.tables.Table`: a module per form, each with `render(table)` and `render_all(tables)`."""
