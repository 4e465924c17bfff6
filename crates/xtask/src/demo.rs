//! The page, the gateway and the embedded store on this machine, with one command.

use crate::run::{command, line, root, run, say, target};
use crate::{build, setup};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
struct Options {
    upload: Option<PathBuf>,
    port: u16,
    data: PathBuf,
}

/// Builds everything, starts the server, and waits for Ctrl-C or uploads a file.
pub(crate) fn demo(words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    if let Some(file) = &options.upload {
        if !file.is_file() {
            bail!("there is no file {}", file.display());
        }
        setup::for_chromium()?;
    }
    build::package()?;
    let (mut server, url) = start(&options)?;
    let result = match &options.upload {
        Some(file) => {
            let mut driver = command("node");
            run("upload through the page", driver.arg("tests/e2e/demo.mjs").arg(&url).arg(file))
        }
        None => {
            println!("\nOpen {url}/ and drop a file on the page. Archives are kept in {}.", options.data.display());
            println!("Ctrl-C stops the server.");
            // The terminal sends Ctrl-C to the server too: it shuts down, and so ends this wait.
            server.wait().context("wait for the server").map(drop)
        }
    };
    stop(&mut server)?;
    result
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let here = std::env::current_dir().context("find the current folder")?;
        let mut options = Self { upload: None, port: 8080, data: root().join("data") };
        let mut port = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match *word {
                "--upload" => options.upload = Some(here.join(value)),
                "--port" => port = Some(value.parse().with_context(|| format!("{value} is not a port"))?),
                "--data" => options.data = here.join(value),
                _ => bail!("demo has no option {word}: there are --upload FILE, --port N, --data DIR"),
            }
        }
        // Without a person there is no address to remember, so no port to collide with.
        options.port = port.unwrap_or(if options.upload.is_some() { 0 } else { 8080 });
        Ok(options)
    }
}

fn start(options: &Options) -> Result<(Child, String)> {
    let mut server = Command::new(build::server(&[])?);
    server
        .current_dir(root())
        .arg("--data")
        .arg(&options.data)
        .args(["--listen", &format!("127.0.0.1:{}", options.port)]);
    server.arg("--page").arg(target().join("site")).args(["--vault", "demo"]).stdout(Stdio::piped());
    if options.upload.is_some() {
        server.stderr(Stdio::null());
    }
    say("starting the server");
    let mut child = server.spawn().with_context(|| format!("cannot start `{}`", line(&server)))?;
    let output = child.stdout.take().context("standard output was piped")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(Ok(text)) = lines.next() {
        if let Some(url) = text.strip_prefix("listening on ") {
            let url = url.trim().trim_end_matches('/').to_owned();
            // Read on, or the server would block once the pipe is full.
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(|text| println!("{text}")));
            return Ok((child, url));
        }
        println!("{text}");
    }
    let status = child.wait()?;
    bail!("the server ended with {status} before it listened: `{}` (is port {} in use?)", line(&server), options.port)
}

fn stop(server: &mut Child) -> Result<()> {
    if server.try_wait()?.is_none() {
        // By signal, so that it ends what it is writing.
        run("stop the server", command("kill").arg(server.id().to_string()))?;
        server.wait()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_needs_no_fixed_port() {
        assert_eq!(Options::parse(&[]).unwrap().port, 8080);
        assert_eq!(Options::parse(&["--upload", "a.bin"]).unwrap().port, 0);
        assert_eq!(Options::parse(&["--upload", "a.bin", "--port", "99"]).unwrap().port, 99);
    }

    #[test]
    fn misspelt_options_are_named() {
        assert!(Options::parse(&["--uplaod", "a"]).unwrap_err().to_string().contains("--uplaod"));
        assert_eq!(Options::parse(&["--port"]).unwrap_err().to_string(), "--port needs a value");
        assert_eq!(Options::parse(&["--port", "x"]).unwrap_err().to_string(), "x is not a port");
    }
}
