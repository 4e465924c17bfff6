//! Completed jobs are announced to real endpoints.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use local_glacier::{Pace, Topic};
use serde_json::{Value, json};

use crate::client::{Machine, archive, get, pattern, put};

const JOBS: &str = "arn:aws:sns:us-east-1:123456789012:jobs";
const VAULT: &str = "arn:aws:sns:us-east-1:123456789012:vault";
const NOWHERE: &str = "arn:aws:sns:us-east-1:123456789012:nowhere";

/// A message as it arrived.
struct Received {
    head: Vec<String>,
    body: Value,
}

/// An endpoint that answers the first requests with these, and all later ones with 200.
struct Endpoint {
    url: String,
    received: mpsc::Receiver<Received>,
}

impl Endpoint {
    fn answering(first: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || {
            let mut answers = first.iter();
            for connection in listener.incoming() {
                let mut reader = BufReader::new(connection.unwrap());
                let mut head = Vec::new();
                for line in reader.by_ref().lines() {
                    let line = line.unwrap();
                    if line.is_empty() {
                        break;
                    }
                    head.push(line);
                }
                let length =
                    head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap()];
                reader.read_exact(&mut body).unwrap();
                let answer = answers.next().copied().unwrap_or("200 OK");
                let text = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                reader.get_mut().write_all(text.as_bytes()).unwrap();
                if sender.send(Received { head, body: serde_json::from_slice(&body).unwrap() }).is_err() {
                    return;
                }
            }
        });
        Self { url, received }
    }

    fn topic(&self, arn: &str) -> Topic {
        format!("{arn}={}", self.url).parse().unwrap()
    }

    fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(20)).expect("a notification")
    }

    /// The next message, for which time has to pass: seconds, until it is there.
    fn next_in_time(&self, machine: &Machine) -> Received {
        for _ in 0..100 {
            machine.turn_clock(Duration::from_secs(1));
            if let Ok(received) = self.received.recv_timeout(Duration::from_millis(200)) {
                return received;
            }
        }
        panic!("no notification");
    }

    fn expect_no_more(&self) {
        assert!(self.received.recv_timeout(Duration::from_millis(300)).is_err());
    }
}

fn verify(message: &Value, pem: &str) {
    let encoded: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key: [u8; 32] = STANDARD.decode(encoded).unwrap()[12..].try_into().unwrap();
    let signed: String = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        .iter()
        .map(|name| format!("{name}\n{}\n", message[name].as_str().unwrap()))
        .collect();
    let signature = STANDARD.decode(message["Signature"].as_str().unwrap()).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    VerifyingKey::from_bytes(&key).unwrap().verify(signed.as_bytes(), &signature).unwrap();
    assert_eq!(message["SigningKey"], STANDARD.encode(key));
}

fn announce_vault(machine: &Machine, events: &[&str]) {
    let configuration = json!({"SNSTopic": VAULT, "Events": events});
    let set = machine.send(put("/-/vaults/v/notification-configuration").with_json(&configuration));
    assert_eq!(set.status, 204);
}

#[test]
fn a_completed_job_is_announced_to_its_topic_and_the_vault_s() {
    let endpoint = Endpoint::answering(&[]);
    let topics = vec![endpoint.topic(JOBS), endpoint.topic(VAULT)];
    let machine = Machine::with_vault_and(Pace::default(), topics);
    announce_vault(&machine, &["ArchiveRetrievalCompleted"]);
    let id = machine.send(archive(pattern(5))).archive_id();
    let path = machine.finished_job(&json!({"Type": "archive-retrieval", "ArchiveId": id, "SNSTopic": JOBS}));
    let described = machine.send(get(&path)).json();
    let mut received = [endpoint.next(), endpoint.next()];
    received.sort_by_key(|message| message.body["TopicArn"].to_string());
    for (message, topic) in received.iter().zip([JOBS, VAULT]) {
        let body = &message.body;
        assert_eq!((&body["TopicArn"], &body["Type"]), (&json!(topic), &json!("Notification")));
        let told: Value = serde_json::from_str(body["Message"].as_str().unwrap()).unwrap();
        assert_eq!(told, described);
        assert_eq!(body["Timestamp"], "2026-01-01T12:00:01.000Z");
        verify(body, machine.notification_key());
        assert_eq!(message.head[0], "POST /hook HTTP/1.1");
        let headers = message.head.join("\n").to_lowercase();
        assert!(headers.contains("x-amz-sns-message-type: notification"), "{headers}");
        assert!(headers.contains(&format!("x-amz-sns-topic-arn: {topic}")), "{headers}");
    }
    assert_ne!(received[0].body["MessageId"], received[1].body["MessageId"]);

    machine.finished_job(&json!({"Type": "inventory-retrieval", "SNSTopic": NOWHERE}));
    endpoint.expect_no_more();
    announce_vault(&machine, &["InventoryRetrievalCompleted"]);
    machine.finished_job(&json!({"Type": "inventory-retrieval"}));
    assert_eq!(endpoint.next().body["TopicArn"], VAULT);
    endpoint.expect_no_more();
}

#[test]
fn a_message_is_sent_again_until_it_is_taken_also_after_a_restart() {
    let endpoint = Endpoint::answering(&["503 Busy", "429 Slow Down"]);
    let machine = Machine::with_vault_and(Pace::default(), vec![endpoint.topic(JOBS)]);
    let path = machine.finished_job(&json!({"Type": "inventory-retrieval", "SNSTopic": JOBS}));
    let first = endpoint.next();
    assert_eq!(machine.send(get(&path)).json()["StatusCode"], "Succeeded", "the job does not wait");
    endpoint.expect_no_more();
    let second = endpoint.next_in_time(&machine);
    assert_eq!(second.body, first.body, "the same message, to the letter");
    let machine = machine.restart();
    verify(&second.body, machine.notification_key());
    assert_eq!(endpoint.next_in_time(&machine).body, first.body);
    machine.turn_clock(Duration::from_hours(1));
    endpoint.expect_no_more();
}

#[test]
fn a_refused_message_is_given_up() {
    let endpoint = Endpoint::answering(&["403 Forbidden"]);
    let machine = Machine::with_vault_and(Pace::default(), vec![endpoint.topic(JOBS)]);
    machine.finished_job(&json!({"Type": "inventory-retrieval", "SNSTopic": JOBS}));
    endpoint.next();
    machine.turn_clock(Duration::from_hours(1));
    endpoint.expect_no_more();
}

#[test]
fn a_failed_job_is_announced_too() {
    let endpoint = Endpoint::answering(&[]);
    let machine = Machine::with_vault_and(Pace::realistic(), vec![endpoint.topic(JOBS)]);
    machine.job(&json!({"Type": "inventory-retrieval", "SNSTopic": JOBS}));
    machine.turn_clock(Duration::from_hours(4));
    let told: Value = serde_json::from_str(endpoint.next().body["Message"].as_str().unwrap()).unwrap();
    assert_eq!((&told["StatusCode"], &told["Completed"]), (&json!("Failed"), &json!(true)));
}
