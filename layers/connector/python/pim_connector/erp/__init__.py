"""XML in: any ERP export becomes a stream of self-contained records, in constant memory."""
