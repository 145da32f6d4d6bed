"""What is wrong and what to do: facts gathered at the rim, and pure rules over them."""
