//! Message formats: bytes of one Kafka record into rows of source columns. One file a format.
