//! The page inside the program, so that one file is all there is to install.

use std::future::{Ready, ready};
use std::io::{self, Cursor, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

/// A file: its path from the page's root, with `/` between names, and its bytes.
type EmbeddedFile = (&'static str, &'static [u8]);

// `FILES`, written by build.rs: every file of the folder that the program was built with.
include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

/// Whether there is a page.
pub(super) fn has_index() -> bool {
    FILES.iter().any(|(path, _)| *path == "index.html")
}

/// The files as `ServeDir` reads them.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    files: &'static [EmbeddedFile],
    /// When the program itself was written: a browser that has the files of that program need not fetch them again.
    modified: Option<SystemTime>,
}

impl Embedded {
    pub(super) fn new() -> Self {
        let program = std::env::current_exe().and_then(std::fs::metadata);
        Self { files: FILES, modified: program.and_then(|program| program.modified()).ok() }
    }

    fn find(&self, path: &Path) -> io::Result<Found> {
        let names: Vec<&str> = path
            .components()
            .filter_map(|component| match component {
                Component::Normal(name) => Some(name.to_str().ok_or(io::ErrorKind::NotFound)),
                Component::CurDir => None,
                // `ServeDir` lets none of these through.
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => Some(Err(io::ErrorKind::NotFound)),
            })
            .collect::<Result<_, _>>()?;
        let path = names.join("/");
        if let Some((_, bytes)) = self.files.iter().find(|(name, _)| *name == path) {
            return Ok(Found { bytes: Some(bytes), modified: self.modified });
        }
        let is_folder = |name: &str| name.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if path.is_empty() || self.files.iter().any(|(name, _)| is_folder(name)) {
            return Ok(Found { bytes: None, modified: self.modified });
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

impl Backend for Embedded {
    type File = OpenFile;
    type Metadata = Found;
    type OpenFuture = Ready<io::Result<OpenFile>>;
    type MetadataFuture = Ready<io::Result<Found>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.find(&path).map(|found| OpenFile { found, read: Cursor::new(found.bytes.unwrap_or_default()) }))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(self.find(&path))
    }
}

/// A file, or a folder, which has no bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    bytes: Option<&'static [u8]>,
    modified: Option<SystemTime>,
}

impl Metadata for Found {
    fn is_dir(&self) -> bool {
        self.bytes.is_none()
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.modified.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        self.bytes.map_or(0, |bytes| bytes.len() as u64)
    }
}

#[derive(Debug)]
pub(super) struct OpenFile {
    found: Found,
    read: Cursor<&'static [u8]>,
}

impl File for OpenFile {
    type Metadata = Found;
    type MetadataFuture<'a> = Ready<io::Result<Found>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.found))
    }
}

impl AsyncRead for OpenFile {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(context, into)
    }
}

impl AsyncSeek for OpenFile {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.read).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.read).poll_complete(context)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    use tower_http::services::ServeDir;

    use super::*;

    fn page() -> Embedded {
        Embedded {
            files: &[("index.html", b"<!doctype html>"), ("a/b.wasm", b"\0asm"), ("a.js", b"export {};")],
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
        }
    }

    async fn get(path: &str, header: Option<(&str, &str)>) -> (u16, String, Vec<u8>) {
        let mut request = Request::get(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let serve = ServeDir::with_backend("", page());
        let response = serve.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let kind = response.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let status = response.status().as_u16();
        (status, kind, response.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn files_are_served_with_their_types() {
        assert_eq!(get("/", None).await, (200, "text/html".into(), b"<!doctype html>".to_vec()));
        assert_eq!(get("/a/b.wasm", None).await, (200, "application/wasm".into(), b"\0asm".to_vec()));
        assert_eq!(get("/a.js", None).await, (200, "text/javascript".into(), b"export {};".to_vec()));
        assert_eq!(get("/a/b.wasm", Some(("range", "bytes=1-2"))).await.2, b"as");
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found() {
        for path in ["/b.js", "/a", "/a/", "/index.html/", "/../a.js", "/a/../a.js", "/%2e%2e/a.js", "/A.js"] {
            let (status, _, body) = get(path, None).await;
            assert!([404, 307].contains(&status) && body.is_empty(), "{path}: {status}");
        }
    }

    #[tokio::test]
    async fn a_browser_that_has_the_files_of_this_program_fetches_none() {
        let since = |date| get("/a.js", Some(("if-modified-since", date)));
        assert_eq!(since("Fri, 15 Jan 2027 08:00:00 GMT").await.0, 304);
        assert_eq!(since("Fri, 15 Jan 2027 07:59:59 GMT").await.0, 200);
    }
}
