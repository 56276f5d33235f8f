//! The structure function: which journeys are up, given which slots are running and reachable.
