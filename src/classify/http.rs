//! From an HTTP request (method, address, body) to effects.
