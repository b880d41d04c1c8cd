"""How the joint model is trained."""
