"""Text forms of `benchmarks.tables.table.Table`: a module per form, each with `render(table)` and `render_all(tables)`."""
