"""ResNets and what is built on them."""
