//! The project's own commands, run as `cargo xtask COMMAND`.

mod bench;
mod build;
mod demo;
mod openapi;
mod run;
mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  setup                 install what the tests need, saying what is installed
  build                 make the npm package in target/npm and the page in target/site
      --server          and the server as one static file with the page inside, target/server/glacier-upload-server
  demo [OPTIONS]        build, start the server with its embedded store, print the page's address
      --upload FILE     upload FILE through the page in a headless Chromium, and prove it
      --port N          listen on this port (default 8080; 0 picks one)
      --data DIR        where the store keeps its archives (default ./data)
  test [SUITE...]       run every suite, or those named:
                        tidy native wasm api s3 contract types package e2e
  openapi               write docs/openapi.json, the description of the sign contract
  bench NAME            measure: download gateway inventory s3 sign slow upload
  tidy                  check the walls between the rooms, formatting, lints and documentation
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["setup"] => setup::everything(),
        ["build"] => build::package(),
        ["build", "--server"] => build::static_server(),
        ["demo", options @ ..] => demo::demo(options),
        ["test", suites @ ..] => test::test(suites),
        ["openapi"] => openapi::openapi(),
        ["bench", name] => bench::bench(name),
        ["tidy"] => tidy::tidy(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("unknown command: cargo xtask {}\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
