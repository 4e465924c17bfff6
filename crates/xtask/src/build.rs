//! The npm package in `target/npm`, and the page that uses it in `target/site`.

use crate::run::{cargo, command, npm_tool, root, run, say, target};
use crate::setup;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Builds package and site, installing the tools that are missing.
pub(crate) fn package() -> Result<()> {
    setup::for_build()?;
    let npm = target().join("npm");
    let dist = npm.join("dist");
    fresh_folder(&npm)?;
    fs::create_dir(&dist).context("make dist")?;
    wasm(&dist)?;
    javascript(&dist)?;
    manifest(&npm)?;
    run("measure the package", command("node").arg("tests/packaging/sizes.mjs").arg(&dist))?;
    site(&dist)
}

fn wasm(dist: &Path) -> Result<()> {
    say("compiling the browser package to WebAssembly");
    let mut compile = cargo();
    compile.args(["build", "--package", "glacier-upload", "--lib", "--profile", "wasm"]);
    run("compile to WebAssembly", compile.args(["--target", "wasm32-unknown-unknown"]))?;

    let compiled = target().join("wasm32-unknown-unknown/wasm/glacier_upload.wasm");
    let flags = ["--target", "web", "--no-typescript", "--remove-producers-section", "--remove-name-section"];
    let arguments = ["wasm-bindgen"].iter().chain(&flags).map(PathBuf::from);
    let arguments = arguments.chain(["--out-dir".into(), dist.to_path_buf(), compiled]);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments.map(PathBuf::into_os_string))
        .context("generate the JavaScript glue with wasm-bindgen")?;

    let module = dist.join("glacier_upload_bg.wasm");
    let mut optimise = npm_tool("wasm-opt");
    optimise.args(["-Oz", "--enable-simd", "--enable-bulk-memory", "--enable-nontrapping-float-to-int"]);
    optimise.args(["--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types", "--enable-multivalue"]);
    // A function with one caller stays one unless it is tiny: inlined, its locals get other numbers, and what looked
    // alike no longer compresses. 4 % smaller after brotli, though larger before.
    optimise.arg("--one-caller-inline-max-function-size=20");
    run("optimise the WebAssembly", optimise.arg(&module).arg("-o").arg(&module))
}

/// Hand-written JavaScript as it is, and the fallback for pages where no file beside it can be loaded.
fn javascript(dist: &Path) -> Result<()> {
    let source = root().join("src/js");
    for file in entries(&source)? {
        if file.extension().is_some_and(|extension| extension == "js" || extension == "ts") {
            copy(&file, &dist.join(file.file_name().unwrap_or_default()))?;
        }
    }
    for needed in ["index.js", "index.d.ts", "worker.js"] {
        if !dist.join(needed).exists() {
            bail!("src/js/{needed} is missing: the package cannot work without it");
        }
    }
    let worker = dist.join("worker.inline.js");
    let mut bundle = npm_tool("esbuild");
    bundle.arg(dist.join("worker.js")).args(["--bundle", "--format=iife", "--minify", "--log-level=warning"]);
    // A Blob worker has no address that a relative one could start from: it is handed its wasm instead.
    bundle.arg("--define:import.meta.url=\"data:,\"").arg(format!("--outfile={}", worker.display()));
    run("bundle the inline worker", &mut bundle)?;
    run("make inline.js", command("node").arg("tests/packaging/inline.mjs").arg(dist).arg(&worker))?;
    fs::remove_file(&worker).context("remove the intermediate worker bundle")
}

/// `package.json` from its template, with Cargo's version, and the documents npm shows.
fn manifest(npm: &Path) -> Result<()> {
    let template = root().join("pkg.json");
    let text = fs::read_to_string(&template).with_context(|| format!("read {}", template.display()))?;
    // As text: publint insists on the order of keys, which a parsed object would lose.
    let placeholder = "\"version\": \"0.0.0\"";
    if !text.contains(placeholder) {
        bail!("pkg.json has no {placeholder} to put Cargo's version in");
    }
    let stamped = text.replace(placeholder, &format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")));
    fs::write(npm.join("package.json"), stamped).context("write package.json")?;
    for file in entries(&root())? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "README.md" || name == "CHANGELOG.md" || name.starts_with("LICENSE") {
            copy(&file, &npm.join(name))?;
        }
    }
    Ok(())
}

/// The demo page next to the package, as any web server would serve them.
fn site(dist: &Path) -> Result<()> {
    let (site, page) = (target().join("site"), root().join("www"));
    fresh_folder(&site)?;
    copy_folder(dist, &site.join("glacier-upload"))?;
    if page.is_dir() {
        copy_folder(&page, &site)?;
    }
    say(&format!("package: {}   site: {}", dist.parent().unwrap_or(dist).display(), site.display()));
    Ok(())
}

/// The gateway with its embedded store.
pub(crate) fn server(features: &[&str]) -> Result<PathBuf> {
    say("building the server");
    let mut build = cargo();
    build.args(["build", "--release", "--package", "glacier-upload-server"]);
    for feature in features {
        build.args(["--features", feature]);
    }
    run("build the server", &mut build)?;
    Ok(target().join("release/glacier-upload-server"))
}

/// The server as one file that needs nothing else: linked statically, with the page inside.
pub(crate) fn static_server() -> Result<()> {
    package()?;
    setup::for_static()?;
    say("building the static server");
    let triple = setup::static_target();
    let mut build = cargo();
    build.args(["build", "--profile", "dist", "--package", "glacier-upload-server", "--features", "embedded-page"]);
    build.args(["--target", &triple]).env("GLACIER_UPLOAD_EMBED", target().join("site"));
    run("build the static server", &mut build)?;
    let folder = target().join("server");
    fresh_folder(&folder)?;
    let (built, server) =
        (target().join(&triple).join("dist/glacier-upload-server"), folder.join("glacier-upload-server"));
    copy(&built, &server)?;
    // For the container: its volume begins as this.
    fs::create_dir(folder.join("data")).context("make the container's data folder")?;
    let len = fs::metadata(&server).context("look at the server")?.len();
    say(&format!("server: {} ({} KiB)", server.display(), len / 1024));
    Ok(())
}

/// The store as a server of its own.
pub(crate) fn store() -> Result<PathBuf> {
    say("building the store");
    run("build the store", cargo().args(["build", "--release", "--package", "local-glacier"]))?;
    Ok(target().join("release/local-glacier"))
}

/// What signs for the comparison with botocore.
pub(crate) fn signatures() -> Result<PathBuf> {
    say("building what signs for the comparison with botocore");
    let mut build = cargo();
    build.args(["build", "--release", "--package", "glacier-core", "--features", "sigv4", "--example", "signatures"]);
    run("build the example of signatures", &mut build)?;
    Ok(target().join("release/examples/signatures"))
}

fn fresh_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    for entry in entries(from)? {
        let copied = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() { copy_folder(&entry, &copied)? } else { copy(&entry, &copied)? }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths = read.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
