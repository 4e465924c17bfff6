//! How far a download is.

/// Two counts of bytes and what follows from them. Neither goes down, whatever is fetched again, and both equal the
/// total at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DownloadProgress {
    /// Arrived. Moves within a piece.
    pub bytes_received: u64,
    /// Taken by the sink.
    pub bytes_delivered: u64,
    /// In the output.
    pub bytes_total: u64,
    /// Of the last seconds. 0 until known.
    pub bytes_per_second: u64,
    /// Milliseconds left, or `None` until it can be said.
    pub eta_ms: Option<u64>,
    /// In the output.
    pub pieces_total: u64,
    /// Being fetched now.
    pub pieces_in_flight: u32,
    /// With a place in memory now.
    pub pieces_held: u32,
}
