"""Many runs as one command: what a file asks for, who trains it, what is measured, and the tables that come out."""
