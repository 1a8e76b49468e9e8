"""What tasks say about pictures, and where the boxes that they look into come from."""
