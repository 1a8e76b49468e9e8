"""Reading files that come from outside: opened safely, decoded by type, refused in one line."""
