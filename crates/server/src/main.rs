//! The gateway's binary.

use std::error::Error;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use glacier_core::glacier::VaultName;
use glacier_core::hex;
use glacier_core::sigv4::{Credentials, GLACIER, Scope, Timestamp};
use glacier_upload_server::app::{Gateway, Settings, app};
use glacier_upload_server::aws_credentials::AwsCredentials;
use glacier_upload_server::check::{self, Finding};
use glacier_upload_server::config::{self, Checked, Config, ConfigError, LoadError, Loaded};
use glacier_upload_server::credentials;
use glacier_upload_server::edge;
use glacier_upload_server::events::{self, Events};
use glacier_upload_server::host::HostAllowList;
use glacier_upload_server::mount;
use glacier_upload_server::relay::{self, Relay};
use glacier_upload_server::s3::S3;
use glacier_upload_server::seats::Seats;
use glacier_upload_server::sns::{Outside, Sns};
use glacier_upload_server::token::TokenKey;
use glacier_upload_server::upstream::{Client, Origin, Patience};
use local_glacier::Glacier;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower::ServiceExt;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let (mode, arguments) = mode(std::env::args_os().collect());
    let loaded = match config::load(arguments) {
        Ok(loaded) => loaded,
        Err(LoadError::Flags(error)) => error.exit(),
        Err(error) => {
            eprintln!("glacier-upload-server: {error}");
            return ExitCode::FAILURE;
        }
    };
    if loaded.config.print_config {
        print!("{}", loaded.printed);
        return ExitCode::SUCCESS;
    }
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let done = match mode {
        Mode::Serve => run(loaded).await.map(|()| ExitCode::SUCCESS),
        Mode::Check { json } => check_others(loaded, json).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // For whoever started it, and therefore as text.
            eprintln!("glacier-upload-server: {error}");
            let mut source = error.source();
            while let Some(error) = source {
                eprintln!("  because: {error}");
                source = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// What the program is started for.
#[derive(Clone, Copy)]
enum Mode {
    Serve,
    Check { json: bool },
}

/// `check` as the first argument, and `--json` after it, are about the program and not about its configuration.
fn mode(mut arguments: Vec<OsString>) -> (Mode, Vec<OsString>) {
    if arguments.get(1).is_none_or(|argument| argument != "check") {
        return (Mode::Serve, arguments);
    }
    arguments.remove(1);
    let json = arguments.iter().position(|argument| argument == "--json");
    if let Some(at) = json {
        arguments.remove(at);
    }
    (Mode::Check { json: json.is_some() }, arguments)
}

/// Looks at what is needed from others, and prints it.
async fn check_others(
    Loaded { config, origins: came_from, .. }: Loaded,
    json: bool,
) -> Result<ExitCode, Box<dyn Error>> {
    let checked = config.check().map_err(|error| came_from.explain(&error))?;
    let client = Client::new(&checked.trust, Patience::default());
    let aws = AwsCredentials::ordinary(client.clone(), &config.region, now);
    let mut findings = vec![Finding::ok("configuration", "every key makes sense")];
    if let Some(origin) = checked.glacier {
        let relay = Relay::new(origin, &config.region, client.clone(), aws.clone());
        findings.extend(relay.check(&config.account_id, &checked.vaults, now).await);
    }
    if let Some(buckets) = checked.buckets {
        // Nothing that is sealed here lasts.
        let key = TokenKey::from_text(&hex::encode(&credentials::random::<32>()?))?;
        let origins = check::origins(&config.allow_origins, &config.public_hosts, config.listen);
        findings.extend(S3::new(buckets, client, aws, &key, now).check(&origins).await);
    }
    if json {
        println!("{}", check::in_json(&findings))
    } else {
        print!("{}", check::in_words(&findings))
    }
    Ok(if check::is_fit(&findings) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(Loaded { config, origins: came_from, .. }: Loaded) -> Result<(), Box<dyn Error>> {
    let Checked { vaults, origins, dev_tokens, topics, store_key, glacier: elsewhere, trust, buckets, page } =
        config.check().map_err(|error| came_from.explain(&error))?;
    let limits = config.edge.limits(config.listen.ip(), config.behind_tls_proxy, edge::raise_open_files());
    let certificate = config.edge.certificate().map_err(|error| came_from.explain(&error))?;
    let mut watch = config.watch.watch().map_err(|error| came_from.explain(&error))?;
    watch.seats = Seats::new(config.edge.requests_per_subject(&limits));
    watch.metrics.watch_panics();
    // Before any secret is written to it.
    private_folder(&config.data)?;
    let client = Client::new(&trust, Patience::default());
    let tokens = credentials::token_key(&config.data, config.tokens.token_key_file.as_deref())
        .and_then(|key| config.tokens.tokens(key, &client))
        .map_err(|error| came_from.explain(&error))?;
    let aws = AwsCredentials::ordinary(client.clone(), &config.region, now);
    if let Some(key) = elsewhere.as_ref().map(|_| "glacier").or(buckets.as_ref().map(|_| "bucket")) {
        // Now rather than with the first part.
        aws.get().await.map_err(|error| came_from.explain(&ConfigError::new(key, error.to_string())))?;
    }
    let vaults_are = match elsewhere {
        Some(origin) => Vaults::elsewhere(origin, &config.region, tokens.key(), client.clone(), aws.clone()),
        None => Vaults::embedded(&config, &vaults).await?,
    };
    let listener = edge::listen(config.listen).map_err(|error| format!("--listen: {}: {error}", config.listen))?;
    let address = listener.local_addr()?;
    let events = Events::default();
    if let Some(glacier) = &vaults_are.here {
        tokio::spawn(events::forward(glacier.completions(), events.clone()));
    }
    let sns = (!topics.is_empty()).then(|| Sns::new(topics, store_key, Outside::network()));
    let s3 = buckets.map(|buckets| S3::new(buckets, client, aws, tokens.key(), now));
    let gateway = Gateway::new(Settings {
        account_id: config.account_id,
        credentials: vaults_are.credentials,
        scope: vaults_are.scope,
        tokens,
        vaults,
        dev_tokens,
        hosts: HostAllowList::new(address.port(), &config.public_hosts),
        origins,
        relay: vaults_are.elsewhere,
        page,
        events: events.clone(),
        sns,
        watch,
        s3,
        clock: now,
    });
    let readiness = gateway.readiness().clone();
    let following = gateway.clone();
    tokio::spawn(async move { tokio::join!(following.tokens.follow(), following.watch.rates.sweep()) });
    if let Some(address) = config.watch.metrics_listen {
        serve_metrics(&gateway, address, config.watch.metrics_public)
            .await
            .map_err(|error| came_from.explain(&ConfigError::new("metrics-listen", format!("{address}: {error}"))))?;
    }
    let app = app(gateway, vaults_are.here.map(mount::router).unwrap_or_default());
    let delay = std::time::Duration::from_secs(config.edge.shutdown_delay);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
        readiness.end();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            // What was acknowledged is on the disk, so nothing is lost but time.
            tracing::warn!("asked to end a second time");
            std::process::exit(EXIT_AT_ONCE);
        });
        tokio::time::sleep(delay).await;
        // They would last longer than the server may take to end.
        events.close();
    };
    let listener = match certificate {
        Some(certificate) => {
            let tls = certificate.tls();
            tokio::spawn(certificate.follow(signal(SignalKind::hangup())?));
            println!("listening on https://{address}");
            accept::Listener::with_tls(listener, tls)
        }
        None => {
            println!("listening on http://{address}");
            listener.into()
        }
    };
    let service = move |request: http::Request<accept::Body>| {
        let answer = app.clone().oneshot(request.map(axum::body::Body::new));
        async move {
            let Ok(response) = answer.await;
            response
        }
    };
    accept::serve(listener, limits, service, shutdown).await?;
    Ok(())
}

/// How the program ends when it may not finish what is in flight.
const EXIT_AT_ONCE: i32 = 2;
/// Serves the metrics until the program ends.
async fn serve_metrics(gateway: &Gateway, address: SocketAddr, is_public: bool) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let router = gateway.watch.metrics.router();
    let hosts = HostAllowList::new(address.port(), &[]);
    let service = move |request: http::Request<accept::Body>| {
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
        // A page of another site could make its own name resolve to this machine.
        let is_ours = is_public || hosts.allows(host);
        let answer = router.clone().oneshot(request.map(axum::body::Body::new));
        async move {
            let Ok(mut response) = answer.await;
            if !is_ours {
                response = http::Response::new(axum::body::Body::empty());
                *response.status_mut() = http::StatusCode::MISDIRECTED_REQUEST;
            }
            response
        }
    };
    println!("metrics on http://{address}/metrics");
    tokio::spawn(accept::serve(listener, accept::Limits::default(), service, std::future::pending()));
    Ok(())
}

/// Where vaults are, and what requests to there are signed with.
struct Vaults {
    here: Option<Glacier>,
    elsewhere: Option<Relay>,
    credentials: Credentials,
    scope: Scope,
}

impl Vaults {
    async fn embedded(config: &Config, vaults: &[VaultName]) -> Result<Self, Box<dyn Error>> {
        let credentials = credentials::store_credentials(&config.data)?;
        let (data, account_id, region) = (config.data.clone(), config.account_id.clone(), config.region.clone());
        let scope = Scope { region: region.clone(), service: GLACIER };
        let (vaults, known) = (vaults.to_vec(), credentials.clone());
        let open = move || mount::open(&data, &vaults, known, &region, &account_id);
        let glacier = tokio::task::spawn_blocking(open).await??;
        glacier.keep_free(config.min_free_bytes);
        glacier.bound_open_uploads(config.max_open_uploads);
        Ok(Self { here: Some(glacier), elsewhere: None, credentials, scope })
    }

    fn elsewhere(origin: Origin, region: &str, token_key: &TokenKey, client: Client, aws: AwsCredentials) -> Self {
        tracing::info!(%origin, "vaults are elsewhere");
        let (credentials, scope) = relay::own_signature(token_key, region);
        Self { here: None, elsewhere: Some(Relay::new(origin, region, client, aws)), credentials, scope }
    }
}

fn private_folder(path: &std::path::Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("--data: {}: {error}", path.display()))
}

fn now() -> Timestamp {
    // A clock before 1970 signs what the store refuses.
    Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
