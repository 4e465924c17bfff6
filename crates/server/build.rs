//! Puts the page into the program: with the feature `embedded-page`, every file of the folder that `GLACIER_UPLOAD_EMBED`
//! names; without either, none.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=GLACIER_UPLOAD_EMBED");
    let is_wanted = env::var_os("CARGO_FEATURE_EMBEDDED_PAGE").is_some();
    let folder = env::var_os("GLACIER_UPLOAD_EMBED").filter(|_| is_wanted).map(PathBuf::from);
    let mut files = Vec::new();
    if let Some(folder) = &folder {
        println!("cargo::rerun-if-changed={}", folder.display());
        collect(folder, folder, &mut files)?;
        files.sort();
    }
    let mut table = "static FILES: &[EmbeddedFile] = &[".to_owned();
    for (name, path) in files {
        write!(table, "({name:?}, include_bytes!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("];");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("Cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("page_files.rs"), table)
}

/// Every file below `folder`: its path from `root` with `/` between names, and its path on this machine.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let no_name = || io::Error::other(format!("{} has no name in UTF-8", path.display()));
        let inside = path.strip_prefix(root).map_err(io::Error::other)?;
        let names: Option<Vec<&str>> = inside.iter().map(|name| name.to_str()).collect();
        let absolute = path.canonicalize()?;
        files.push((names.ok_or_else(no_name)?.join("/"), absolute.to_str().ok_or_else(no_name)?.to_owned()));
    }
    Ok(())
}
