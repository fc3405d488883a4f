"""What is done with conversations: messages come in, people of ours answer, visitors chat."""
