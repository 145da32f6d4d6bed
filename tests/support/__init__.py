"""What tests, bench and demo share: a private engine, images, programs to run in them."""
