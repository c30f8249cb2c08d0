"""Files that people upload, and which records refer to them."""
