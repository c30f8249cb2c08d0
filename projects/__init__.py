"""What people work on: projects for courses, studies of their own, and whatever other kinds there are."""
