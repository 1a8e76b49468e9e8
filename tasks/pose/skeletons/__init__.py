"""What a pose is made of: joints, their mirror pairs and bones, and the likeness of two poses."""
