"""Who can log in, who they are as people, and what they may do."""
