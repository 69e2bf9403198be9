"""What all pages share: the frame with its navigation, how words and times are shown, and what is said when something
cannot be done."""
