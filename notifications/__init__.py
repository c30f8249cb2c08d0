"""What people are told, where and when each of them wants to be told, and the mails that tell it."""
