//! The options of the API: functions and addresses are taken here, everything else is read by core.

use glacier_core::error::{ErrorCode, UploadError};
use glacier_core::glacier::PolicyText;
use glacier_core::json::Json;
use glacier_core::settings::{
    self, DownloadOptions, FileKind, Settings, StreamSettings, UploadOptions, VaultsSettings,
};
use js_sys::{Array, Function, JSON, Object};
use wasm_bindgen::prelude::{JsCast, JsValue};
use web_sys::{AbortSignal, Blob, File};

use crate::download::Wishes;
use crate::fetch;
use crate::gateway::Gateway;
use crate::json;

/// The plain data among an object's own members, without those whose value is `undefined`.
pub(crate) fn plain(options: &JsValue) -> Json {
    let Some(object) = options.dyn_ref::<Object>().filter(|_| !Array::is_array(options)) else {
        return Json::Null;
    };
    let given = Object::new();
    for key in Object::keys(object).iter().filter_map(|key: JsValue| key.as_string()) {
        let value = json::get(object, &key);
        if !value.is_undefined() {
            json::set(&given, &key, &value);
        }
    }
    json::from_js(&given)
}

/// The options of `createUploader`.
pub(crate) fn uploader(options: &JsValue) -> Result<(Settings, Gateway), UploadError> {
    Ok((Settings::read(&plain(options))?, gateway(options)?))
}

/// The options of `createVaults`.
pub(crate) fn vaults(options: &JsValue) -> Result<(VaultsSettings, Gateway), UploadError> {
    Ok((VaultsSettings::read(&plain(options))?, gateway(options)?))
}

/// The options of `createBuckets`.
pub(crate) fn buckets(options: &JsValue) -> Result<(VaultsSettings, Gateway), UploadError> {
    Ok((settings::buckets(&plain(options))?, gateway(options)?))
}

fn gateway(options: &JsValue) -> Result<Gateway, UploadError> {
    let get_headers = function(options, "getHeaders")?;
    function(options, "createWorker")?;
    match (json::get(options, "endpoint"), function(options, "sign")?) {
        (endpoint, Some(sign)) if endpoint.is_undefined() => Ok(Gateway::Function { sign, base: fetch::page_url() }),
        (endpoint, None) if !endpoint.is_undefined() => {
            let url = endpoint
                .as_string()
                .and_then(|endpoint| fetch::resolve(endpoint.trim_end_matches('/'), &fetch::page_url()))
                .ok_or_else(|| invalid("endpoint must be the gateway's URL, as in \"/v1\""))?;
            Ok(Gateway::Endpoint { url: format!("{}/sign", url.trim_end_matches('/')), get_headers })
        }
        _ => Err(invalid("exactly one of endpoint and sign must be given")),
    }
}

/// The options of a call.
pub(crate) fn call(options: &JsValue) -> Result<Option<AbortSignal>, UploadError> {
    with_signal(options, settings::check_call_keys).map(|((), signal)| signal)
}

/// Options that core reads, and the signal among them. None given are as good as none in them.
pub(crate) fn with_signal<T>(
    options: &JsValue,
    read: impl FnOnce(&Json) -> Result<T, UploadError>,
) -> Result<(T, Option<AbortSignal>), UploadError> {
    if options.is_undefined() {
        return Ok((read(&Json::Object(Vec::new()))?, None));
    }
    Ok((read(&plain(options))?, signal(options)?))
}

/// A policy: text as it is, or an object that becomes it.
pub(crate) fn policy(policy: &JsValue) -> Result<PolicyText, UploadError> {
    let text = policy.as_string().or_else(|| JSON::stringify(policy).ok()?.as_string());
    Ok(PolicyText::new(text.unwrap_or_default())?)
}

/// The options of `add`.
pub(crate) fn upload(
    options: &JsValue,
    settings: &Settings,
    blob: &Blob,
) -> Result<(UploadOptions, Option<AbortSignal>), UploadError> {
    let name = blob.dyn_ref::<File>().map(File::name);
    let content_type = blob.type_();
    let file = FileKind { name: name.as_deref(), content_type: &content_type };
    with_signal(options, |options| settings.upload(options, file))
}

/// The options of `stream`.
pub(crate) fn stream(
    options: &JsValue,
    settings: &Settings,
) -> Result<(StreamSettings, Option<AbortSignal>), UploadError> {
    if options.is_undefined() {
        return Ok((settings.stream(&Json::object([]))?, None));
    }
    Ok((settings.stream(&plain(options))?, signal(options)?))
}

/// The options of `treeHash`.
pub(crate) fn tree_hash(options: &JsValue) -> Result<(Option<Function>, Option<AbortSignal>), UploadError> {
    if options.is_undefined() {
        return Ok((None, None));
    }
    settings::check_tree_hash_keys(&plain(options))?;
    Ok((function(options, "onProgress")?, signal(options)?))
}

/// The options of `download`.
pub(crate) fn download(options: &JsValue) -> Result<Wishes, UploadError> {
    if options.is_undefined() {
        return Ok(Wishes { options: DownloadOptions::default(), on_progress: None, signal: None });
    }
    Ok(Wishes {
        options: DownloadOptions::read(&plain(options))?,
        on_progress: function(options, "onProgress")?,
        signal: signal(options)?,
    })
}

/// A file that can be read in slices.
pub(crate) fn blob(file: &JsValue) -> Result<Blob, UploadError> {
    if let Some(blob) = file.dyn_ref::<Blob>() {
        return Ok(blob.clone());
    }
    // What a drop gives for a folder: a FileSystemDirectoryHandle, or a FileSystemDirectoryEntry.
    let is_directory = json::get(file, "kind").as_string().as_deref() == Some("directory")
        || json::get(file, "isDirectory").is_truthy();
    if is_directory {
        return Err(UploadError::new(ErrorCode::IsDirectory, "a folder was given where a file is expected"));
    }
    Err(invalid("the file must be a File or Blob"))
}

fn signal(options: &JsValue) -> Result<Option<AbortSignal>, UploadError> {
    let signal = json::get(options, "signal");
    if signal.is_undefined() {
        return Ok(None);
    }
    signal.dyn_into().map(Some).map_err(|_| invalid("signal must be an AbortSignal"))
}

fn function(options: &JsValue, key: &str) -> Result<Option<Function>, UploadError> {
    let value = json::get(options, key);
    if value.is_undefined() {
        return Ok(None);
    }
    value.dyn_into().map(Some).map_err(|_| invalid(&format!("{key} must be a function")))
}

fn invalid(message: &str) -> UploadError {
    UploadError::new(ErrorCode::InvalidOption, message)
}
