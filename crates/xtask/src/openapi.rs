//! The published description of the sign contract.

use crate::run::{cargo, output, root, say};
use anyhow::{Context, Result};

/// Writes `docs/openapi.json`. It is committed, because who reads it has no Rust; a test holds it against the code.
pub(crate) fn openapi() -> Result<()> {
    let mut print = cargo();
    print.args([
        "run",
        "--quiet",
        "--package",
        "glacier-upload-server",
        "--features",
        "openapi",
        "--example",
        "openapi",
    ]);
    let document = output("make the description of the contract", &mut print)?;
    let path = root().join("docs/openapi.json");
    std::fs::write(&path, document).with_context(|| format!("write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}
