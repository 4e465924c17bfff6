//! Benchmarks: each prints a table for people and, last, one line of JSON.

use crate::run::{command, run};
use crate::{build, setup};
use anyhow::{Result, bail};

/// Runs the benchmark of that name.
pub(crate) fn bench(name: &str) -> Result<()> {
    match name {
        "upload" => upload(),
        _ => bail!("there is no benchmark {name}: there is upload"),
    }
}

/// A 2 GiB file through the library and through a bare `fetch`, in Chromium.
fn upload() -> Result<()> {
    setup::for_chromium()?;
    build::package()?;
    let server = build::server(&["bench-sink"])?;
    let mut bench = command("node");
    run("measure uploads", bench.arg("tests/bench/upload.mjs").env("GLACIER_UPLOAD_SERVER", server))
}
