"""What can be done with programmes, a module per intention."""
