"""Recommender: a scorer with the ids, histories and shelf it needs to answer people."""
# (being written)
