//! Benchmarks: each prints a table for people and, last, one line of JSON.

use crate::run::{command, run, that_runs_cargo};
use crate::{build, setup};
use anyhow::{Result, bail};

/// Runs the benchmark of that name.
pub(crate) fn bench(name: &str) -> Result<()> {
    match name {
        "download" => download(),
        "gateway" => gateway(),
        "inventory" => inventory(),
        "s3" => s3(),
        "sign" => sign(),
        "slow" => slow(),
        "upload" => upload(),
        _ => bail!("there is no benchmark {name}: there are download, gateway, inventory, s3, sign, slow and upload"),
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

/// A job's output of 512 MiB through the library and through a bare `fetch`, in Chromium.
fn download() -> Result<()> {
    setup::for_chromium()?;
    build::package()?;
    let server = build::server(&[])?;
    let mut bench = command("node");
    run("measure downloads", bench.arg("tests/bench/download.mjs").env("GLACIER_UPLOAD_SERVER", server))
}

/// 3,000 connections that send slowly or nothing (`LORIS`, `SILENT`, `BODIES`), and an honest client among them.
fn slow() -> Result<()> {
    build::package()?;
    let server = build::server(&[])?;
    let mut bench = command("node");
    run("measure slow attacks", bench.arg("tests/bench/slow.mjs").env("GLACIER_UPLOAD_SERVER", server))
}

/// The inventory of a vault with 1,000,000 archives (`ARCHIVES`): time, memory, and what the vault's other operations take
/// beside those of an empty one.
fn inventory() -> Result<()> {
    setup::for_python()?;
    let store = build::store()?;
    let mut bench = command(setup::python());
    run("measure inventories", bench.arg("tests/bench/inventory.py").env("LOCAL_GLACIER", store))
}

/// The gateway beside what does its work elsewhere: signatures beside the AWS SDK in Node, the relay beside nginx, both
/// before the same sink, and uploads to a bucket beside the libraries that others use.
fn gateway() -> Result<()> {
    setup::for_nginx()?;
    with_buckets("measure the gateway", "tests/bench/gateway.mjs")
}

/// A file of 1 GiB (`SIZE` in MiB) to a bucket through the library, through `@aws-sdk/lib-storage` and through Uppy, in Chromium.
fn s3() -> Result<()> {
    with_buckets("measure uploads to buckets", "tests/bench/s3.mjs")
}

fn with_buckets(what: &str, script: &str) -> Result<()> {
    setup::for_chromium()?;
    setup::for_peers()?;
    let garage = setup::for_garage()?;
    build::package()?;
    let server = build::server(&[])?;
    // The sinks and the relay's bench are programs that it builds.
    let mut bench = that_runs_cargo("node");
    bench.arg(script).env("GLACIER_UPLOAD_SERVER", server).env("GARAGE", garage).env("PYTHON", setup::python());
    run(what, &mut bench)
}

/// Signatures a second over HTTP, beside a Node server that presigns with the AWS SDK.
fn sign() -> Result<()> {
    setup::for_build()?;
    // Its page is not asked for, but it wants one.
    build::package()?;
    let server = build::server(&[])?;
    let mut bench = command("node");
    run("measure signatures", bench.arg("tests/bench/sign.mjs").env("GLACIER_UPLOAD_SERVER", server))
}
