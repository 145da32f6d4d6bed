"""What is Docker's: the rules of create, API paths, the few engine calls of our own."""
