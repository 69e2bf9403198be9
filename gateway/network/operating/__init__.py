"""What operators do, for the command line and the pages alike: each act is refused or done here, and written into the
audit with the name of the operator."""
