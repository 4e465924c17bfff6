//! Profiles of the shared configuration: a role, single sign-on, keys, or a process.

use std::time::Duration;

use glacier_core::PayloadHash;
use glacier_core::sigv4::{self, CanonicalRequest, Credentials, PathForm, Scope, SecretKey, Timestamp};
use http::{HeaderName, HeaderValue, header, request};
use ini::{Ini, ParseOption};
use reqsign_aws_core::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider, SSOCredentialProvider,
    StaticCredentialProvider,
};
use reqsign_core::{Context, Error, ProvideCredential, Result, SignRequest, Signer};

/// Roles that may be assumed one by another.
const MAX_ROLES: usize = 5;
/// For AWS's log.
const SESSION_NAME: &str = "glacier-upload-gateway";

/// The profile that was asked for by name, if one was.
pub(super) fn chosen(context: &Context) -> Option<String> {
    context.env_var("AWS_PROFILE").filter(|name| !name.is_empty())
}

/// The shared configuration.
pub(super) struct Profiles<'a> {
    context: &'a Context,
    region: &'a str,
    config: Ini,
    credentials: Ini,
    /// For messages.
    paths: [String; 2],
}

impl<'a> Profiles<'a> {
    /// Reads both files. One that is not there is empty.
    pub(super) async fn read(context: &'a Context, region: &'a str) -> Result<Self> {
        let config = path(context, "AWS_CONFIG_FILE", "~/.aws/config");
        let credentials = path(context, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        Ok(Self {
            context,
            region,
            config: read(context, &config).await?,
            credentials: read(context, &credentials).await?,
            paths: [config, credentials],
        })
    }

    /// Why there was nothing.
    pub(super) fn nothing(&self) -> String {
        let name = chosen(self.context).unwrap_or_else(|| "default".to_owned());
        format!("\"{name}\" has no credentials in {} or {}", self.paths[0], self.paths[1])
    }

    /// The credentials of the profile of that name, else of `default`; `None` if `default` has none.
    pub(super) async fn credential(&self, name: Option<&str>) -> Result<Option<Credential>> {
        let found = self.of_profile(name.unwrap_or("default"), MAX_ROLES).await?;
        match (found, name) {
            // Going on to another source would sign as somebody who was not asked for.
            (None, Some(_)) => Err(Error::config_invalid(self.nothing())),
            (found, _) => Ok(found),
        }
    }

    async fn of_profile(&self, name: &str, roles_left: usize) -> Result<Option<Credential>> {
        let section = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let (config, credentials) = (self.config.section(Some(section)), self.credentials.section(Some(name)));
        let get = |key: &str| -> Option<&str> {
            credentials.and_then(|section| section.get(key)).or_else(|| config.and_then(|section| section.get(key)))
        };
        if let Some(role) = get("role_arn") {
            if let Some(file) = get("web_identity_token_file") {
                let mut provider =
                    AssumeRoleWithWebIdentityCredentialProvider::with_config(role.to_owned(), file.into())
                        .with_region(self.region.to_owned())
                        .with_regional_sts_endpoint();
                provider = provider.with_role_session_name(get("role_session_name").unwrap_or(SESSION_NAME).to_owned());
                return provider.provide_credential(self.context).await;
            }
            let source = Box::pin(self.source_of_role(name, &get, roles_left)).await?;
            return self.assume(role, source, &get).await.map(Some);
        }
        if let Some(provider) = self.sign_on(name, &get)? {
            return provider.provide_credential(self.context).await;
        }
        if let Some(keys) = keys(&get) {
            return Ok(Some(keys));
        }
        match get("credential_process") {
            None => Ok(None),
            Some(command) => {
                ProcessCredentialProvider::new().with_command(command).provide_credential(self.context).await
            }
        }
    }

    /// Who assumes the role.
    async fn source_of_role<'b>(
        &self,
        name: &str,
        get: &impl Fn(&str) -> Option<&'b str>,
        roles_left: usize,
    ) -> Result<Credential> {
        let fail = |why: &str| Error::config_invalid(format!("profile \"{name}\": {why}"));
        if get("mfa_serial").is_some() {
            return Err(fail("mfa_serial: a server has no device to read a code from"));
        }
        let found = match (get("source_profile"), get("credential_source")) {
            (Some(_), Some(_)) => return Err(fail("source_profile and credential_source exclude each other")),
            (None, None) => return Err(fail("role_arn needs source_profile or credential_source")),
            // A profile may keep the keys that assume its role.
            (Some(source), None) if source == name => keys(get),
            (Some(source), None) => {
                let roles_left = roles_left.checked_sub(1).ok_or_else(|| fail("its roles assume each other"))?;
                self.of_profile(source, roles_left).await?
            }
            (None, Some("Environment")) => EnvCredentialProvider::new().provide_credential(self.context).await?,
            (None, Some("EcsContainer")) => ECSCredentialProvider::new().provide_credential(self.context).await?,
            (None, Some("Ec2InstanceMetadata")) => {
                IMDSv2CredentialProvider::new().provide_credential(self.context).await?
            }
            (None, Some(_)) => {
                return Err(fail("credential_source is one of Environment, EcsContainer and Ec2InstanceMetadata"));
            }
        };
        found.ok_or_else(|| fail("there are no credentials to assume its role with"))
    }

    async fn assume<'b>(
        &self,
        role: &str,
        source: Credential,
        get: &impl Fn(&str) -> Option<&'b str>,
    ) -> Result<Credential> {
        let Credential { access_key_id, secret_access_key, session_token, expires_in: _ } = source;
        let mut fixed = StaticCredentialProvider::new(&access_key_id, &secret_access_key);
        if let Some(token) = session_token {
            fixed = fixed.with_session_token(&token);
        }
        let signer = Signer::new(self.context.clone(), fixed, StsSignature { region: self.region.to_owned() });
        let mut provider = AssumeRoleCredentialProvider::new(role.to_owned(), signer)
            .with_region(self.region.to_owned())
            .with_regional_sts_endpoint()
            .with_role_session_name(get("role_session_name").unwrap_or(SESSION_NAME).to_owned());
        if let Some(id) = get("external_id") {
            provider = provider.with_external_id(id.to_owned());
        }
        if let Some(seconds) = get("duration_seconds") {
            let seconds = seconds.trim().parse().map_err(|_| Error::config_invalid("duration_seconds is no number"))?;
            provider = provider.with_duration_seconds(seconds);
        }
        let assumed = provider.provide_credential(self.context).await?;
        assumed.ok_or_else(|| Error::unexpected("STS gave no credentials for the role"))
    }

    /// Single sign-on, of the older form in the profile or of the newer one in a section of its own.
    fn sign_on<'b>(&self, name: &str, get: &impl Fn(&str) -> Option<&'b str>) -> Result<Option<SSOCredentialProvider>> {
        let Some(account) = get("sso_account_id") else { return Ok(None) };
        let missing = |what: &str| Error::config_invalid(format!("profile \"{name}\": {what} is missing"));
        let role = get("sso_role_name").ok_or_else(|| missing("sso_role_name"))?;
        let (region, cached_by) = match get("sso_session") {
            None => {
                let start_url = get("sso_start_url").ok_or_else(|| missing("sso_start_url or sso_session"))?;
                (get("sso_region").ok_or_else(|| missing("sso_region"))?, start_url)
            }
            Some(session) => {
                let section = self.config.section(Some(format!("sso-session {session}")));
                let section = section.ok_or_else(|| missing("the section of its sso_session"))?;
                // The session at AWS is cached by the name of this one, which the provider knows as its start URL.
                (section.get("sso_region").ok_or_else(|| missing("sso_region of its sso_session"))?, session)
            }
        };
        Ok(Some(
            SSOCredentialProvider::new()
                .with_account_id(account)
                .with_role_name(role)
                .with_region(region)
                .with_start_url(cached_by),
        ))
    }
}

/// The keys that stand in the profile itself.
fn keys<'b>(get: &impl Fn(&str) -> Option<&'b str>) -> Option<Credential> {
    Some(Credential {
        access_key_id: get("aws_access_key_id")?.to_owned(),
        secret_access_key: get("aws_secret_access_key")?.to_owned(),
        session_token: get("aws_session_token").map(str::to_owned),
        expires_in: None,
    })
}

fn path(context: &Context, variable: &str, ordinary: &str) -> String {
    let path = context.env_var(variable).filter(|path| !path.is_empty()).unwrap_or_else(|| ordinary.to_owned());
    context.expand_home_dir(&path).unwrap_or(path)
}

async fn read(context: &Context, path: &str) -> Result<Ini> {
    // Unreadable is as good as absent: a home folder may belong to somebody else.
    let Ok(text) = context.file_read_as_string(path).await else { return Ok(Ini::new()) };
    // A value is the rest of its line; a backslash or a quote is nothing special.
    let plain = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    // The parser's own words may quote the line.
    Ini::load_from_str_opt(&text, plain)
        .map_err(|error| Error::config_invalid(format!("{path}: line {}: not INI", error.line)))
}

/// Signs what is asked of STS.
#[derive(Debug)]
struct StsSignature {
    region: String,
}

impl SignRequest for StsSignature {
    type Credential = Credential;

    async fn sign_request(
        &self,
        _: &Context,
        request: &mut request::Parts,
        credential: Option<&Credential>,
        _: Option<Duration>,
    ) -> Result<()> {
        let credential = credential.ok_or_else(|| Error::credential_invalid("no credentials for STS"))?;
        let credentials = Credentials {
            access_key_id: credential.access_key_id.clone(),
            secret_access_key: SecretKey::new(credential.secret_access_key.clone()),
            session_token: credential.session_token.clone(),
        };
        let host = request.uri.authority().map_or("", |authority| authority.as_str());
        let mut headers = request.headers.clone();
        headers.insert(header::HOST, HeaderValue::from_str(host)?);
        let now = Timestamp::from_unix(u64::try_from(reqsign_core::time::Timestamp::now().as_second()).unwrap_or(0));
        headers.insert(HeaderName::from_static("x-amz-date"), HeaderValue::from_str(&now.to_string())?);
        if let Some(token) = &credentials.session_token {
            headers.insert(HeaderName::from_static("x-amz-security-token"), HeaderValue::from_str(token)?);
        }
        let mut signed = Vec::with_capacity(headers.len());
        for (name, value) in &headers {
            signed.push((name.as_str(), value.to_str()?));
        }
        let empty = PayloadHash::of(b"").to_string();
        let sent_hash = headers.get("x-amz-content-sha256").and_then(|hash| hash.to_str().ok());
        let canonical = CanonicalRequest {
            method: request.method.as_str(),
            path: request.uri.path(),
            path_form: PathForm::Normalized,
            query: request.uri.query().unwrap_or(""),
            headers: &signed,
            payload_hash: sent_hash.unwrap_or(&empty),
        };
        let scope = Scope { region: self.region.clone(), service: "sts" };
        let authorization = HeaderValue::from_str(&sigv4::sign(&canonical, &credentials, &scope, now))?;
        headers.insert(header::AUTHORIZATION, authorization);
        request.headers = headers;
        Ok(())
    }
}
