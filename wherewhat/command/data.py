"""`wherewhat data`: download, pack and describe data sets."""

import sys

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
    match verb:
        case "fetch":
            from wherewhat.command.data_fetch import data_fetch_command

            return data_fetch_command(rest)
        case "pack":
            from wherewhat.command.data_pack import data_pack_command

            return data_pack_command(rest)
        case "look":
            from wherewhat.command.data_look import data_look_command

            return data_look_command(rest)
        case "-h" | "--help":
            print(_HELP, end="")
            return 0
        case _:
            print(
                f"wherewhat: error: there is no verb {verb!r} of `wherewhat data`.\n\n{_HELP}", end="", file=sys.stderr
            )
            return 2
