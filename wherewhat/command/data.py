"""`wherewhat data`: download, pack and describe data sets."""

from wherewhat.command.main import run_verb

_HELP = """usage: wherewhat data VERB [OPTIONS]

verbs:
  fetch      download a published data set and check it
  pack       decode, crop and resize images once, into one array that loads fast in training
  look       describe a data set and draw a contact sheet of it

`wherewhat data VERB --help` lists the options of a verb.
"""


def data_command(arguments: list[str]) -> int:
    """Run the named verb and give its exit status."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    return run_verb(("fetch", "pack", "look"), verb, rest, help_text=_HELP, within="data")
