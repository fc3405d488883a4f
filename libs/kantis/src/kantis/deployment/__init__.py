"""What a deployment on PostgreSQL and RabbitMQ servers needs beside the services: secrets, databases, rights, upkeep."""
