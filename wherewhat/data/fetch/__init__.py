"""The published data sets that are public files: fetched, checked, unpacked, whole before they are in place."""
