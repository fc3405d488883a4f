"""The chassis of every Kantis service; it knows no business word."""
