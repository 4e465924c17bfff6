//! The published description of the contract, and the code it describes.

#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;

#[test]
fn the_published_document_is_what_the_types_say() {
    let published: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let told = published == glacier_upload_server::openapi::document();
    assert!(told, "docs/openapi.json is not what the types say: run `cargo xtask openapi`");
}
