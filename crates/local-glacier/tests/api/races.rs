//! DeleteVault and what puts something into the vault, or takes it out, at the same moment. One of them is first, and the
//! other one knows: no archive is ever in a vault that is gone, and nothing that was acknowledged is lost.

use std::sync::Arc;

use http_body_util::BodyExt;
use tokio::task::{JoinHandle, JoinSet};

use crate::client::{MIB, Machine, Request, archive, complete, delete, get, part, post, put};

/// What races with the deletion.
#[derive(Clone, Copy, Debug)]
enum Rival {
    UploadArchive,
    Initiate,
    UploadPart,
    Complete,
    DeleteArchive,
}

const RIVALS: [Rival; 5] =
    [Rival::UploadArchive, Rival::Initiate, Rival::UploadPart, Rival::Complete, Rival::DeleteArchive];

/// Races run side by side, so that each meets others' changes in its commits.
const LANES: usize = 20;

const RACES_OF_A_LANE: usize = 500;

const BYTES: &[u8] = b"kept";

/// A vault in which one race after the other is run.
struct Lane {
    machine: Arc<Machine>,
    vault: String,
}

impl Lane {
    /// Sends on a task of its own; gives the status, and the path of what was made.
    fn send(&self, request: Request) -> JoinHandle<(u16, String)> {
        let (glacier, request) = (self.machine.glacier.clone(), Machine::sign(request, self.machine.now()));
        tokio::spawn(async move {
            let (parts, body) = glacier.handle(request).await.into_parts();
            body.collect().await.unwrap();
            let location = parts.headers.get("location").map_or("", |value| value.to_str().unwrap());
            (parts.status.as_u16(), location.to_owned())
        })
    }

    async fn status(&self, request: Request) -> u16 {
        self.send(request).await.unwrap().0
    }

    async fn done(&self, request: Request) -> String {
        let (status, location) = self.send(request).await.unwrap();
        assert!((200..300).contains(&status), "{status}");
        location
    }

    async fn initiate(&self) -> String {
        self.done(self.initiation()).await
    }

    fn initiation(&self) -> Request {
        post(&format!("{}/multipart-uploads", self.vault)).with("x-amz-part-size", &MIB.to_string())
    }

    fn archive(&self) -> Request {
        archive(BYTES.to_vec()).to("POST", &format!("{}/archives", self.vault))
    }

    /// One race, in a vault that is made for it and gone after it.
    async fn race(&self, rival: Rival) {
        self.done(put(&self.vault)).await;
        let upload = match rival {
            Rival::UploadPart | Rival::Complete => self.initiate().await,
            _ => String::new(),
        };
        let request = match rival {
            Rival::UploadArchive => self.archive(),
            Rival::Initiate => self.initiation(),
            Rival::UploadPart => part(&upload, 0, BYTES.to_vec()),
            Rival::Complete => {
                self.done(part(&upload, 0, BYTES.to_vec())).await;
                complete(&upload, BYTES)
            }
            Rival::DeleteArchive => delete(&self.done(self.archive()).await),
        };
        let (one, deletion) = (self.send(request), self.send(delete(&self.vault)));
        let ((one, made), (deletion, _)) = (one.await.unwrap(), deletion.await.unwrap());
        let vault = self.status(get(&self.vault)).await;
        match (rival, one, deletion, vault) {
            // Bytes keep the vault, and where there is no vault no bytes are kept.
            (Rival::UploadArchive, 201, 400, 200) => self.keeps(&made).await,
            // Before by its part, and then by its archive.
            (Rival::Complete, 201, 400, 200) => self.keeps(&made).await,
            (Rival::UploadPart, 204, 400, 200) => {
                let made = self.done(complete(&upload, BYTES)).await;
                self.keeps(&made).await;
            }
            (Rival::UploadArchive | Rival::UploadPart | Rival::Initiate, 404, 204, 404) => {}
            // An upload without parts goes with its vault.
            (Rival::Initiate, 201, 204, 404) => assert_eq!(self.status(get(&made)).await, 404),
            (Rival::DeleteArchive, 204, 204, 404) => {}
            (Rival::DeleteArchive, 204, 400, 200) => drop(self.done(delete(&self.vault)).await),
            other => panic!("rival, its answer, the deletion's, the vault's: {other:?}"),
        }
    }

    /// The archive is there: the vault cannot be deleted as long as it is.
    async fn keeps(&self, archive: &str) {
        assert_eq!(self.status(delete(&self.vault)).await, 400, "{archive}");
        self.done(delete(archive)).await;
        self.done(delete(&self.vault)).await;
    }
}

#[test]
fn a_vault_is_deleted_before_or_after_and_never_in_between() {
    let machine = Arc::new(Machine::new());
    let rows = || {
        let is_counter = |line: &String| line.starts_with("sqlite_sequence:");
        machine.state().into_iter().filter(|line| !is_counter(line)).collect::<Vec<_>>()
    };
    let before = rows();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let lane = Lane { machine: machine.clone(), vault: format!("/-/vaults/race-{lane}") };
        let races = async move {
            for nth in 0..RACES_OF_A_LANE {
                lane.race(RIVALS[nth % RIVALS.len()]).await;
            }
        };
        lanes.spawn_on(races, runtime.handle());
    }
    runtime.block_on(lanes.join_all());
    assert_eq!(rows(), before, "a row or a file of a vault that is gone");
}
