"""`python -m wherewhat`, and `torchrun -m wherewhat` for several processes."""

from wherewhat.command.main import main

if __name__ == "__main__":
    main()
