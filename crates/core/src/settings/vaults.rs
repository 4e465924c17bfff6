//! What `createVaults` and the calls of a vault are told.

use super::gateway::{GATEWAY_KEYS, GatewaySettings};
use super::strict::{check_keys, invalid};
use crate::error::UploadError;
use crate::json::Json;

const VAULTS_KEYS: &[&str] = &["events"];
const CALL_KEYS: &[&str] = &["signal"];

/// What a way to the vaults was told.
#[derive(Clone, Copy, Debug)]
pub struct VaultsSettings {
    /// Shared by all calls and downloads.
    pub gateway: GatewaySettings,
    /// Whether the gateway is asked to tell when jobs are done.
    pub events: bool,
}

impl VaultsSettings {
    /// Reads the plain data among the options of `createVaults`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode::InvalidOption) naming the key.
    pub fn read(options: &Json) -> Result<Self, UploadError> {
        check_keys(options, "", VAULTS_KEYS, GATEWAY_KEYS)?;
        Ok(Self {
            gateway: GatewaySettings::read(options)?,
            events: match options.get("events") {
                None => true,
                Some(Json::Bool(events)) => *events,
                Some(_) => return Err(invalid("events", "must be true or false")),
            },
        })
    }
}

/// Checks that the options of a call have no key that means nothing.
///
/// # Errors
/// [`ErrorCode::InvalidOption`](crate::ErrorCode::InvalidOption) naming the key.
pub fn check_call_keys(options: &Json) -> Result<(), UploadError> {
    check_keys(options, "", CALL_KEYS, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default_and_what_is_misspelt_is_named() {
        let settings = VaultsSettings::read(&Json::object([])).unwrap();
        assert_eq!((settings.events, settings.gateway.concurrency), (true, 4));
        assert!(!VaultsSettings::read(&Json::object([("events", Json::Bool(false))])).unwrap().events);
        for (key, value, message) in [
            ("event", Json::Bool(true), "there is no option \"event\""),
            ("target", Json::object([]), "there is no option \"target\""),
            ("events", Json::Text("no".into()), "events must be true or false"),
            ("workers", Json::Number(0), "workers must be a whole number from 1 to 16"),
        ] {
            assert_eq!(VaultsSettings::read(&Json::object([(key, value)])).unwrap_err().message, message);
        }
        assert!(check_call_keys(&Json::object([("signal", Json::Null)])).is_ok());
        let error = check_call_keys(&Json::object([("signl", Json::Null)])).unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.hint.as_str()),
            ("there is no option \"signl\"", "Known here: signal.")
        );
    }
}
