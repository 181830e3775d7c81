"""Stream: what happens after the fit, at once in the answers: events, new items, new versions, people who leave."""
