//! Placeholder until the CLIF printer lands.
