"""What asks the product from outside."""
