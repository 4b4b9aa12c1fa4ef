"""What an agent can do besides answering: typed functions, and the rules of calling them."""
