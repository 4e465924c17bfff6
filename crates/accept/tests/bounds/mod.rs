//! How long tests wait.

use std::time::Duration;

use accept::Limits;

/// The bound that a test is about.
pub(crate) const BOUND: Duration = Duration::from_millis(80);
/// No test waits that long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Bounds no test reaches by accident; each test shortens the one it is about.
pub(crate) fn generous() -> Limits {
    Limits {
        first_byte: PATIENCE,
        head: PATIENCE,
        keep_alive: PATIENCE,
        body_idle: PATIENCE,
        body_grace: PATIENCE,
        write_stall: PATIENCE,
        ..Limits::default()
    }
}
