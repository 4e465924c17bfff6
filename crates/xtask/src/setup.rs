//! Installs what is missing, and says so: Rust targets, npm and Python packages of the tests, browsers from Debian.

use crate::run::{cargo, command, output, root, run, say, target};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Everything the tests need.
pub(crate) fn everything() -> Result<()> {
    for_native()?;
    for_wasm()?;
    for_build()?;
    for_browsers()?;
    for_node_gateway()?;
    for_peers()?;
    for_python()?;
    for_packaging()?;
    for_s3().map(drop)
}

/// The native tests: some make keys, certificates and signatures with a program that shares no code with ours.
pub(crate) fn for_native() -> Result<()> {
    debian_packages(&[OPENSSL, NGINX])
}

/// The rules as WebAssembly outside a browser.
pub(crate) fn for_wasm() -> Result<()> {
    rust_targets(&["wasm32-wasip1"])
}

/// The end-to-end tests.
pub(crate) fn for_browsers() -> Result<()> {
    debian_packages(&[CHROMIUM, FIREFOX, WEBKIT, XVFB])
}

/// What `demo` needs: the wasm target and the npm packages, no browser.
pub(crate) fn for_build() -> Result<()> {
    rust_targets(&["wasm32-unknown-unknown"])?;
    npm_packages()
}

/// The C library that static programs are linked with, and a compiler for what is written in C (SQLite, ring).
pub(crate) fn for_static() -> Result<()> {
    rust_targets(&[&static_target()])?;
    debian_packages(&[MUSL])
}

/// What shows that the server can be shipped: the page in a browser, and what reads units of systemd without starting it.
pub(crate) fn for_packaging() -> Result<()> {
    for_static()?;
    debian_packages(&[CHROMIUM, SYSTEMD])
}

/// The machine's own target, with musl.
pub(crate) fn static_target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// What a command that drives Chromium needs besides.
pub(crate) fn for_chromium() -> Result<()> {
    debian_packages(&[CHROMIUM])
}

/// What the relay is measured beside.
pub(crate) fn for_nginx() -> Result<()> {
    debian_packages(&[NGINX])
}

/// A Debian package and the program that shows it is there.
struct DebianPackage {
    name: &'static str,
    program: &'static str,
}

const CHROMIUM: DebianPackage = DebianPackage { name: "chromium", program: "/usr/bin/chromium" };
const FIREFOX: DebianPackage = DebianPackage { name: "firefox-esr", program: "/usr/bin/firefox-esr" };
const WEBKIT: DebianPackage = DebianPackage { name: "webkit2gtk-driver", program: "/usr/bin/WebKitWebDriver" };
const NGINX: DebianPackage = DebianPackage { name: "nginx-light", program: "/usr/sbin/nginx" };
const OPENSSL: DebianPackage = DebianPackage { name: "openssl", program: "/usr/bin/openssl" };
const MUSL: DebianPackage = DebianPackage { name: "musl-tools", program: "/usr/bin/musl-gcc" };
const SYSTEMD: DebianPackage = DebianPackage { name: "systemd", program: "/usr/bin/systemd-analyze" };
const XVFB: DebianPackage = DebianPackage { name: "xvfb", program: "/usr/bin/Xvfb" };

fn rust_targets(wanted: &[&str]) -> Result<()> {
    let sysroot = output("find Rust", command("rustc").args(["--print", "sysroot"]))?;
    let installed = |target: &&&str| Path::new(sysroot.trim()).join("lib/rustlib").join(target).is_dir();
    let missing: Vec<&str> = wanted.iter().filter(|target| !installed(target)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing Rust targets: rustup target add {}", missing.join(" ")));
    run("install Rust targets", command("rustup").args(["target", "add"]).args(missing))
}

/// What the tests and the build need from npm.
fn npm_packages() -> Result<()> {
    npm_ci("tests")
}

/// What the example of a gateway in Node needs.
pub(crate) fn for_node_gateway() -> Result<()> {
    npm_ci("examples/node-gateway")
}

/// What uploads to buckets are measured beside and has another version among the tests' packages.
pub(crate) fn for_peers() -> Result<()> {
    npm_ci("tests/bench/uppy-5")
}

/// The npm packages of a folder as locked. A copy of the lock file inside `node_modules` tells whether they are up to date.
fn npm_ci(folder: &str) -> Result<()> {
    let place = root().join(folder);
    let (lock, stamp) = (place.join("package-lock.json"), place.join("node_modules/.installed.json"));
    let locked = std::fs::read(&lock).with_context(|| format!("read {}", lock.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == locked) {
        return Ok(());
    }
    say(&format!("installing the npm packages of {folder}/package.json: npm ci"));
    let mut npm = command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&place);
    run("install npm packages", &mut npm)?;
    std::fs::write(&stamp, locked).with_context(|| format!("write {}", stamp.display()))
}

fn debian_packages(wanted: &[DebianPackage]) -> Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|package| !Path::new(package.program).exists()).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt_install(&missing)
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("these programs are missing and this is not Debian: install the equivalents of {names}");
    }
    let is_root = output("ask who runs this", command("id").arg("-u"))?.trim() == "0";
    let has_sudo = Path::new("/usr/bin/sudo").exists();
    if !is_root && !has_sudo {
        bail!("these Debian packages are missing; as root, run: apt-get install --no-install-recommends {names}");
    }
    let apt_get = || {
        let mut apt = if is_root { command("apt-get") } else { command("sudo") };
        if !is_root {
            apt.arg("apt-get");
        }
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    say(&format!("installing Debian packages: apt-get update; apt-get install --no-install-recommends {names}"));
    run("read Debian's package lists", apt_get().args(["update", "-qq"]))?;
    let mut install = apt_get();
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    run("install Debian packages", &mut install)
}

/// The stores that speak S3, as programs.
pub(crate) struct S3Stores {
    pub(crate) garage: PathBuf,
    /// The Python that has LocalStack; `None` where none is new enough.
    pub(crate) localstack: Option<PathBuf>,
}

/// Version of Garage: a distributed store that checks signatures and checksums.
const GARAGE_VERSION: &str = "2.5.0";

/// The oldest Python that LocalStack runs on.
const LOCALSTACK_PYTHON: (u32, u32) = (3, 12);

/// The tests of S3: two stores that share no code.
pub(crate) fn for_s3() -> Result<S3Stores> {
    for_python()?;
    Ok(S3Stores { garage: garage()?, localstack: localstack()? })
}

/// The one of them that browsers are tested with, and boto3 to look into it.
pub(crate) fn for_garage() -> Result<PathBuf> {
    for_python()?;
    garage()
}

fn garage() -> Result<PathBuf> {
    let tools = target().join("tools");
    let (program, stamp) = (tools.join("bin/garage"), tools.join("installed-garage.txt"));
    let is_wanted = std::fs::read_to_string(&stamp).is_ok_and(|version| version == GARAGE_VERSION);
    if is_wanted && program.exists() {
        return Ok(program);
    }
    say(&format!("building Garage {GARAGE_VERSION} into target/tools, which takes some minutes once"));
    let mut install = cargo();
    install.args(["install", "--locked", "--debug", "--force", "--root"]).arg(&tools);
    install.args(["garage", "--version", GARAGE_VERSION, "--no-default-features", "--features", "bundled-libs,sqlite"]);
    // 70 MB instead of 350.
    install.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_PROFILE_DEV_STRIP", "true");
    run("build Garage", &mut install)?;
    std::fs::write(&stamp, GARAGE_VERSION).with_context(|| format!("write {}", stamp.display()))?;
    Ok(program)
}

fn localstack() -> Result<Option<PathBuf>> {
    let (venv, requirements) = (target().join("localstack"), root().join("tests/s3/localstack.txt"));
    let (program, stamp) = (venv.join("bin/python"), venv.join("installed-requirements.txt"));
    let wanted = std::fs::read(&requirements).with_context(|| format!("read {}", requirements.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Some(program));
    }
    let Some(python) = newer_python() else {
        let (major, minor) = LOCALSTACK_PYTHON;
        say(&format!(
            "LocalStack needs Python {major}.{minor} and there is none: ITS TESTS ARE SKIPPED. Install python{major}.{minor} \
             and run again"
        ));
        return Ok(None);
    };
    say("installing LocalStack of tests/s3/localstack.txt into target/localstack");
    run("make a virtual environment", command(&python).args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = command(&program);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
    run("install LocalStack", &mut pip)?;
    std::fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    Ok(Some(program))
}

/// A Python that LocalStack runs on, by its usual names and where pyenv keeps them.
fn newer_python() -> Option<PathBuf> {
    let by_name = ["python3", "python3.14", "python3.13", "python3.12"].map(PathBuf::from);
    let pyenv =
        std::env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".pyenv")));
    let versions = pyenv.and_then(|folder| std::fs::read_dir(folder.join("versions")).ok());
    let mut by_pyenv: Vec<PathBuf> =
        versions.into_iter().flatten().flatten().map(|version| version.path().join("bin/python")).collect();
    by_pyenv.sort();
    by_name.into_iter().chain(by_pyenv.into_iter().rev()).find(|python| is_new_enough(python))
}

fn is_new_enough(python: &Path) -> bool {
    let (major, minor) = LOCALSTACK_PYTHON;
    let check = format!("import sys, venv; sys.exit(sys.version_info < ({major}, {minor}))");
    let status = command(python).args(["-c", &check]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The Python of the tests' virtual environment.
pub(crate) fn python() -> PathBuf {
    target().join("venv/bin/python")
}

/// boto3 and the AWS command line, in a virtual environment.
pub(crate) fn for_python() -> Result<()> {
    let (venv, requirements) = (target().join("venv"), root().join("tests/requirements.txt"));
    let stamp = venv.join("installed-requirements.txt");
    let wanted = std::fs::read(&requirements).with_context(|| format!("read {}", requirements.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !python().exists() {
        say("making a Python virtual environment in target/venv");
        let mut make = command("python3");
        make.args(["-m", "venv"]).arg(&venv);
        if run("make a virtual environment", &mut make).is_err() {
            // Debian keeps pip's bundle apart from Python itself.
            apt_install(&["python3-venv"])?;
            run("make a virtual environment", &mut make)?;
        }
    }
    say("installing Python packages of tests/requirements.txt into target/venv");
    let mut pip = command(python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
    run("install Python packages", &mut pip)?;
    std::fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}
