"""How far apart domains are, measured before anything is trained."""
