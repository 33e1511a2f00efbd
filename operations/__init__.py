"""What a person does to a deployment: dead letters, and going back to an earlier state."""
