"""Text messages: the GSM-7 alphabet, fitting words into segments, kinds of numbers, and where texts may go."""
