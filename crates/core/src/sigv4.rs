//! Signature Version 4. Placeholder until the module lands.
