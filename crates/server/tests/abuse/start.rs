//! What the server refuses to start with.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::case::TOKEN_KEY;
use crate::coverage;

#[test]
fn a51_an_unsafe_start_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("page")).unwrap();
    std::fs::write(path("page/index.html"), "").unwrap();
    for (name, text, mode) in
        [("readable", TOKEN_KEY, 0o644), ("writable", TOKEN_KEY, 0o602), ("short", "c0ffee", 0o600)]
    {
        std::fs::write(path(name), text).unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let key = |name: &str| format!("--token-key-file={}", path(name));
    let known = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let mut payloads = 0;
    for (flags, variable) in [
        (vec!["--listen=0.0.0.0:0".to_owned()], TOKEN_KEY),
        (vec!["--listen=[::]:0".to_owned()], TOKEN_KEY),
        (vec!["--listen=0.0.0.0:0".to_owned(), "--public-host=a.example".to_owned()], TOKEN_KEY),
        (vec!["--listen=0.0.0.0:0".to_owned(), "--behind-tls-proxy".to_owned()], TOKEN_KEY),
        (vec!["--public-host=a.example".to_owned(), "--dev-tokens=true".to_owned()], TOKEN_KEY),
        (vec!["--tls-cert=none".to_owned()], TOKEN_KEY),
        (vec!["--allow-origin=*".to_owned()], TOKEN_KEY),
        (vec!["--allow-origin=null".to_owned()], TOKEN_KEY),
        (vec![key("readable")], ""),
        (vec![key("writable")], ""),
        (vec![key("short")], ""),
        (vec![key("none")], ""),
        (vec![], "minioadmin"),
        (vec![], "changeme"),
        (vec![], "secret"),
        (vec![], known),
        (vec![], &"0".repeat(64)),
    ] {
        payloads += 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_glacier-upload-server"));
        command
            .args(["--vault=demo", &format!("--page={}", path("page")), &format!("--data={}", path("data"))])
            .args(&flags);
        command.env_clear().env("GLACIER_UPLOAD_TOKEN_KEY", variable);
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{flags:?} {variable}");
        assert!(error.contains("--") || error.contains("GLACIER_UPLOAD_TOKEN_KEY"), "{flags:?}: {error}");
        assert!(!error.contains(TOKEN_KEY) && !error.contains(known), "{error}");
    }
    assert_eq!(payloads, coverage::payloads("A51"));
}
