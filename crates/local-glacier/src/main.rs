//! `local-glacier`: the store as a server of its own.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use glacier_core::sigv4::{Credentials, SecretKey};
use local_glacier::{
    Authorities, Clock, Glacier, GlacierConfig, MAX_OPEN_UPLOADS, MIN_FREE, Origin, Pace, Store, StoreConfig, Topic,
};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A Glacier store on one machine, for any Glacier client.
///
/// Every request must be signed with the credentials given here.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Folder for metadata and bytes; made if need be
    #[arg(long, env = "LOCAL_GLACIER_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Address to listen on; port 0 picks one
    #[arg(long, env = "LOCAL_GLACIER_LISTEN", default_value = "127.0.0.1:7001", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Listen on an address that other machines can reach. The API is plain HTTP: put a TLS proxy before it
    #[arg(long, env = "LOCAL_GLACIER_ALLOW_NON_LOOPBACK")]
    allow_non_loopback: bool,
    /// Access key ID of the one user
    #[arg(long, env = "LOCAL_GLACIER_ACCESS_KEY_ID", value_name = "ID")]
    access_key_id: String,
    /// Secret access key, at least 16 characters. The environment hides it from other users of the machine, a flag
    /// does not
    #[arg(long, env = "LOCAL_GLACIER_SECRET_ACCESS_KEY", hide_env_values = true, value_name = "SECRET", value_parser = secret)]
    secret_access_key: SecretKey,
    /// Region that signatures must be for
    #[arg(long, env = "LOCAL_GLACIER_REGION", default_value = "us-east-1", value_parser = region)]
    region: String,
    /// Twelve digits
    #[arg(long, env = "LOCAL_GLACIER_ACCOUNT_ID", default_value = "123456789012", value_parser = account_id)]
    account_id: String,
    /// Origin of a web page that may use the store directly, https://app.example.com; may be repeated
    #[arg(long = "allow-origin", env = "LOCAL_GLACIER_ALLOW_ORIGIN", value_delimiter = ',', value_name = "ORIGIN")]
    allowed_origins: Vec<Origin>,
    /// Where the notifications of an SNS topic go, ARN=URL, http or https; may be repeated
    #[arg(long = "topic", env = "LOCAL_GLACIER_TOPIC", value_delimiter = ',', value_name = "ARN=URL")]
    topics: Vec<Topic>,
    /// PEM file of the authorities whose certificates https endpoints of topics may show, instead of the public ones
    #[arg(long, env = "LOCAL_GLACIER_TOPIC_CA", value_name = "FILE")]
    topic_ca: Option<PathBuf>,
    /// Milliseconds that jobs take
    #[arg(long, env = "LOCAL_GLACIER_JOB_DELAY_MS", default_value_t = 1000, value_name = "MS")]
    job_delay_ms: u64,
    /// Keep the service's pace: jobs take hours, and a vault's inventory is taken once a day
    #[arg(long, env = "LOCAL_GLACIER_REALISTIC", conflicts_with = "job_delay_ms")]
    realistic: bool,
    /// Bytes of the file system that stay free for metadata: archives and parts that would leave less get 507
    #[arg(long, env = "LOCAL_GLACIER_MIN_FREE_BYTES", default_value_t = MIN_FREE, value_name = "BYTES")]
    min_free_bytes: u64,
    /// Uploads of one vault that may be in progress; more are answered with 429
    #[arg(
        long,
        env = "LOCAL_GLACIER_MAX_OPEN_UPLOADS",
        default_value_t = MAX_OPEN_UPLOADS,
        value_parser = clap::value_parser!(u64).range(1..),
        value_name = "COUNT"
    )]
    max_open_uploads: u64,
    /// Expedited retrievals that may begin within five minutes without provisioned capacity; any number if not given
    #[arg(long, env = "LOCAL_GLACIER_EXPEDITED_PER_5_MIN", value_name = "COUNT")]
    expedited_per_5_min: Option<u32>,
}

/// Secrets that stand in examples all over the world, which is why scanners try them.
const KNOWN_SECRETS: [&str; 2] =
    ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"];

fn secret(text: &str) -> Result<SecretKey, &'static str> {
    if text.len() < 16 {
        return Err("a secret has at least 16 characters");
    }
    if KNOWN_SECRETS.contains(&text) {
        return Err("this secret stands in public examples; make your own");
    }
    Ok(SecretKey::new(text.to_owned()))
}

fn region(text: &str) -> Result<String, &'static str> {
    let legal =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if legal { Ok(text.to_owned()) } else { Err("a region is lower-case letters, digits and '-'") }
}

fn account_id(text: &str) -> Result<String, &'static str> {
    let legal = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if legal { Ok(text.to_owned()) } else { Err("an account ID is 12 digits") }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            eprintln!("local-glacier: {text}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    if !options.listen.ip().is_loopback() && !options.allow_non_loopback {
        let address: IpAddr = options.listen.ip();
        return Err(
            format!("{address} can be reached by other machines; add --allow-non-loopback if that is meant").into()
        );
    }
    let mut pace = match options.realistic {
        true => Pace::realistic(),
        false => Pace::developer(Duration::from_millis(options.job_delay_ms)),
    };
    pace.expedited_per_5_min = options.expedited_per_5_min;
    let topics = match &options.topic_ca {
        Some(file) => {
            let authorities = read_authorities(file).map_err(|error| format!("{}: {error}", file.display()))?;
            options.topics.into_iter().map(|topic| topic.trusting(authorities.clone())).collect()
        }
        None => options.topics,
    };
    let key_file = options.data.join("notification-key.pem");
    let store = Store::open(StoreConfig { data: options.data, clock: Clock::system(), pace })?;
    store.keep_free(options.min_free_bytes);
    store.bound_open_uploads(options.max_open_uploads);
    let credentials = Credentials {
        access_key_id: options.access_key_id,
        secret_access_key: options.secret_access_key,
        session_token: None,
    };
    let config = GlacierConfig {
        credentials: vec![credentials],
        region: options.region,
        account_id: options.account_id,
        allowed_origins: options.allowed_origins,
        topics,
    };
    let glacier = Glacier::new(store, config)?;
    std::fs::write(key_file, glacier.notification_key())?;

    let listener = TcpListener::bind(options.listen).await?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
    };
    println!("listening on http://{}", listener.local_addr()?);
    let service = move |request| {
        let glacier = glacier.clone();
        async move { glacier.handle(request).await }
    };
    accept::serve(listener, accept::Limits::default(), service, shutdown).await?;
    Ok(())
}

fn read_authorities(file: &Path) -> Result<Authorities, Box<dyn std::error::Error>> {
    Ok(Authorities::from_pem(&std::fs::read(file)?)?)
}
