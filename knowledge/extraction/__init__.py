"""Files to text and blocks, in a limited process of their own."""
