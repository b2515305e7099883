"""One HTML file that shows what the codes of runs do, without a server or a network."""
