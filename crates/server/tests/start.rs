//! How the binary starts, and what it refuses to start with: every refusal names the key and where it came from.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const BIN: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
/// Of `openssl rand -hex 32`, and of nothing else.
const TOKEN_KEY: &str = "9d0f3c1be86a45d27f00b6c1a7e4983355d2c8f07b6e41a9bd13f2c4680e97a5";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("page")).unwrap();
        std::fs::write(folder.path().join("page/index.html"), "").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str, mode: u32) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Runs in the folder with these flags and variables and nothing else.
    fn run(&self, flags: &[&str], variables: &[(&str, &str)]) -> (bool, String, String) {
        let mut command = Command::new(BIN);
        command.args(flags).current_dir(self.folder.path()).env_clear().envs(variables.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    fn print(&self, flags: &[&str], variables: &[(&str, &str)]) -> String {
        let flags: Vec<&str> = flags.iter().copied().chain(["--print-config"]).collect();
        let (is_success, printed, error) = self.run(&flags, variables);
        assert!(is_success, "{error}");
        printed
    }
}

const ENOUGH: [&str; 6] = ["--data", "data", "--page", "page", "--vault", "demo"];

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let place = Place::new();
    let file = "data = \"data\"\npage = \"page\"\nvault = [\"a\", \"b\"]\nlisten = \"127.0.0.1:1\"\nregion = \"file-1\"\n\
                behind-tls-proxy = true\n";
    place.file("gateway.toml", file, 0o644);
    let printed = place.print(
        &["--config", "gateway.toml", "--listen", "127.0.0.1:3", "--behind-tls-proxy=false"],
        &[("GLACIER_UPLOAD_LISTEN", "127.0.0.1:2"), ("GLACIER_UPLOAD_VAULTS", "c,d"), ("GLACIER_UPLOAD_REGION", "")],
    );
    for line in [
        "data = \"data\" # gateway.toml:1",
        "vault = [\"c\", \"d\"] # GLACIER_UPLOAD_VAULTS",
        "listen = \"127.0.0.1:3\" # flag",
        // Set to nothing is not set.
        "region = \"file-1\" # gateway.toml:5",
        "behind-tls-proxy = false # flag",
        "account-id = \"123456789012\" # default",
        "# public-host: not set",
        "# token-key: the file of token-key-file, or made in the data folder",
    ] {
        assert!(printed.lines().any(|printed| printed.trim_end().starts_with(line)), "{line} is not in\n{printed}");
    }
    // What is printed is a file that means the same.
    place.file("again.toml", &printed, 0o644);
    let without_origins =
        |text: &str| -> Vec<String> { text.lines().map(|line| line.split(" # ").next().unwrap().to_owned()).collect() };
    let again = place.print(&["--config", "again.toml"], &[]);
    assert_eq!(without_origins(&again), without_origins(&printed));
    // The file can be named by the environment.
    let by_variable = place.print(&[], &[("GLACIER_UPLOAD_CONFIG", "gateway.toml")]);
    assert!(by_variable.contains("listen = \"127.0.0.1:1\" # gateway.toml:4"), "{by_variable}");
}

#[test]
fn the_printed_configuration_has_no_secret() {
    let printed = Place::new().print(&ENOUGH, &[("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)]);
    assert!(!printed.contains(TOKEN_KEY) && printed.contains("# token-key: GLACIER_UPLOAD_TOKEN_KEY, not shown"));
}

/// What is wrong, and what the message has to say.
struct Wrong<'a> {
    flags: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    file: &'a str,
    says: &'a [&'a str],
}

const NOTHING: Wrong<'static> = Wrong { flags: &[], variables: &[], file: "", says: &[] };

/// Of this machine in the cloud: the tests ask nobody outside.
const NO_ROLE: &[(&str, &str)] = &[("AWS_EC2_METADATA_DISABLED", "true")];

#[test]
fn what_is_wrong_or_unsafe_stops_the_start_with_its_key_and_origin() {
    let place = Place::new();
    place.file("others", TOKEN_KEY, 0o644);
    place.file("short", "c0ffee", 0o600);
    place.file("counting", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0o600);
    place.file("good", TOKEN_KEY, 0o600);
    let public = "--public-host=a.example";
    let cases = [
        // Values, by where they come from.
        Wrong { flags: &["--listen=here"], says: &["--listen"], ..NOTHING },
        Wrong { variables: &[("GLACIER_UPLOAD_LISTEN", "here")], says: &["GLACIER_UPLOAD_LISTEN: "], ..NOTHING },
        Wrong { file: "\nlisten = \"here\"", says: &["gateway.toml:2: listen: "], ..NOTHING },
        Wrong { file: "region = \"us east\"", says: &["gateway.toml:1: region: "], ..NOTHING },
        Wrong { variables: &[("GLACIER_UPLOAD_REGION", "us east")], says: &["GLACIER_UPLOAD_REGION: "], ..NOTHING },
        Wrong { file: "vault = [\"../x\"]", flags: &["--account-id=1"], says: &["--account-id: "], ..NOTHING },
        Wrong { file: "behind-tls-proxy = \"perhaps\"", says: &["gateway.toml:1: behind-tls-proxy: "], ..NOTHING },
        // Keys.
        Wrong { file: "listn = 1", says: &["gateway.toml:1: listn: ", "listen is meant?"], ..NOTHING },
        Wrong { file: "allow-origins = []", says: &["allow-origin is meant?"], ..NOTHING },
        Wrong { file: "colour = 1", says: &["gateway.toml:1: colour: no such key"], ..NOTHING },
        Wrong { file: "config = \"x\"", says: &["config: no such key"], ..NOTHING },
        Wrong { file: "listen = [\"127.0.0.1:0\"]", says: &["gateway.toml:1: listen: takes one value"], ..NOTHING },
        Wrong { file: "[s3]\nregion = \"r\"", says: &["gateway.toml:1: s3: there are no sections"], ..NOTHING },
        Wrong { file: "listen", says: &["gateway.toml:1: not TOML"], ..NOTHING },
        Wrong { flags: &["--config=none.toml"], says: &["none.toml: "], ..NOTHING },
        Wrong { flags: &["--listn=127.0.0.1:0"], says: &["--listn", "--listen"], ..NOTHING },
        Wrong {
            variables: &[("GLACIER_UPLOAD_LISTN", "127.0.0.1:0")],
            says: &["GLACIER_UPLOAD_LISTN: ", "GLACIER_UPLOAD_LISTEN is meant?"],
            ..NOTHING
        },
        // Secrets.
        Wrong { file: "token-key = \"canary\"", says: &["gateway.toml:1: token-key: ", "token-key-file"], ..NOTHING },
        Wrong { flags: &["--token-key=canary"], says: &["--token-key"], ..NOTHING },
        Wrong {
            variables: &[("GLACIER_UPLOAD_TOKEN_KEY", "canary-short-key")],
            says: &["GLACIER_UPLOAD_TOKEN_KEY: ", "openssl rand"],
            ..NOTHING
        },
        Wrong {
            variables: &[("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)],
            flags: &["--token-key-file=good"],
            says: &["--token-key-file: ", "another key"],
            ..NOTHING
        },
        Wrong { flags: &["--token-key-file=others"], says: &["--token-key-file: ", "chmod 600"], ..NOTHING },
        Wrong { flags: &["--token-key-file=short"], says: &["--token-key-file: ", "at least 32"], ..NOTHING },
        Wrong { flags: &["--token-key-file=counting"], says: &["--token-key-file: ", "printed"], ..NOTHING },
        Wrong { file: "token-key-file = \"none\"", says: &["gateway.toml:1: token-key-file: "], ..NOTHING },
        // TLS.
        Wrong { flags: &["--tls-cert=none"], says: &["--tls-cert: ", "--tls-key"], ..NOTHING },
        Wrong { file: "tls-key = \"none\"", says: &["gateway.toml:1: tls-key: ", "--tls-cert"], ..NOTHING },
        Wrong { flags: &["--tls-cert=none", "--tls-key=good"], says: &["--tls-cert: none: "], ..NOTHING },
        Wrong { flags: &["--tls-cert=good", "--tls-key=good"], says: &["--tls-cert: ", "PEM"], ..NOTHING },
        Wrong { flags: &["--tls-cert=good", "--tls-key=others"], says: &["--tls-key: ", "chmod 600"], ..NOTHING },
        Wrong { flags: &["--max-connections=0"], says: &["--max-connections"], ..NOTHING },
        // Issuers and the deny list.
        Wrong { flags: &["--jwks=https://id.example"], says: &["--jwks: ", "--jwks-issuer"], ..NOTHING },
        Wrong {
            file: "jwks = \"https://id.example\"\njwks-issuer = \"i\"",
            says: &["gateway.toml:1: jwks: ", "--token-audience"],
            ..NOTHING
        },
        Wrong { flags: &["--jwks-issuer=i"], says: &["--jwks-issuer: goes with --jwks"], ..NOTHING },
        Wrong {
            flags: &["--jwks=http://id.example/jwks", "--jwks-issuer=i", "--token-audience=a"],
            says: &["--jwks: ", "https"],
            ..NOTHING
        },
        Wrong {
            flags: &["--jwks=https://user:canary@id.example/", "--jwks-issuer=i", "--token-audience=a"],
            says: &["--jwks: ", "no password"],
            ..NOTHING
        },
        Wrong {
            flags: &["--jwks=none.json", "--jwks-issuer=i", "--token-audience=a"],
            says: &["--jwks: none.json"],
            ..NOTHING
        },
        Wrong {
            flags: &["--jwks=good", "--jwks-issuer=i", "--token-audience=a"],
            says: &["--jwks: good: expected a JWKS"],
            ..NOTHING
        },
        Wrong { flags: &["--deny-list=none.json"], says: &["--deny-list: none.json"], ..NOTHING },
        Wrong { file: "deny-list = \"good\"", says: &["gateway.toml:1: deny-list: good: expected"], ..NOTHING },
        // Proxies and metrics.
        Wrong { flags: &["--trusted-proxy=proxy"], says: &["--trusted-proxy: "], ..NOTHING },
        Wrong {
            flags: &["--trusted-proxy=10.0.0.1,0.0.0.0/0"],
            says: &["--trusted-proxy: that is everybody"],
            ..NOTHING
        },
        Wrong { file: "trusted-proxy = [\"::/0\"]", says: &["gateway.toml:1: trusted-proxy: "], ..NOTHING },
        Wrong { file: "metrics-listen = \"[::]:0\"", says: &["gateway.toml:1: metrics-listen: "], ..NOTHING },
        Wrong { flags: &["--metrics-listen=0.0.0.0:0"], says: &["--metrics-listen: ", "--metrics-public"], ..NOTHING },
        Wrong { flags: &["--subject-rate=-1"], says: &["--subject-rate"], ..NOTHING },
        // Nothing to sign with for stores elsewhere.
        Wrong { flags: &["--bucket=photos"], variables: NO_ROLE, says: &["--bucket: ", "credentials"], ..NOTHING },
        Wrong {
            file: "glacier = \"aws\"",
            variables: NO_ROLE,
            says: &["gateway.toml:1: glacier: ", "credentials"],
            ..NOTHING
        },
        // What others could reach.
        Wrong { flags: &["--listen=0.0.0.0:0"], says: &["--listen: ", "--public-host"], ..NOTHING },
        Wrong { file: "listen = \"[::]:0\"", flags: &[public], says: &["gateway.toml:1: listen: ", "TLS"], ..NOTHING },
        Wrong { flags: &["--allow-origin=*"], says: &["--allow-origin: ", "no wildcard"], ..NOTHING },
        Wrong { file: "allow-origin = [\"null\"]", says: &["gateway.toml:1: allow-origin: "], ..NOTHING },
        Wrong { file: "dev-tokens = true", flags: &[public], says: &["gateway.toml:1: dev-tokens: "], ..NOTHING },
    ];
    for wrong in &cases {
        let mut flags = ENOUGH.to_vec();
        if !wrong.file.is_empty() {
            place.file("gateway.toml", wrong.file, 0o644);
            flags.push("--config=gateway.toml");
        }
        flags.extend(wrong.flags);
        let (is_success, printed, error) = place.run(&flags, wrong.variables);
        assert!(!error.contains(TOKEN_KEY), "{error}");
        let case = format!("{flags:?} {:?} {:?}", wrong.variables, wrong.file);
        assert!(!is_success && printed.is_empty(), "{case} starts: {printed}");
        for text in wrong.says {
            assert!(error.contains(text), "{case}: {text} is not in {error}");
        }
        assert!(!error.contains("canary") || wrong.flags.contains(&"--token-key=canary"), "{case}: {error}");
    }
}

#[test]
fn a_made_key_that_others_can_read_stops_the_start() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    place.file("data/token-key", TOKEN_KEY, 0o644);
    let (is_success, _, error) = place.run(&ENOUGH, &[]);
    assert!(!is_success && error.contains("token-key") && error.contains("chmod 600"), "{error}");
    assert!(!error.contains(TOKEN_KEY), "{error}");
    assert!(!Path::new(&place.path("data/store-credentials")).exists());
}
