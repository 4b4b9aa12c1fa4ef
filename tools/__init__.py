"""What `make` runs on the project itself, never part of the product: its parts, their audit."""
