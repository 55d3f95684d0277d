"""Streams between processes, over a broker: FastStream on NATS, Redis or Kafka."""
