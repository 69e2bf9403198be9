"""What was accepted: stored once, claimed by one worker, limited by sender; its media, and replays."""
